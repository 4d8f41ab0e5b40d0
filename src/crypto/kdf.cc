#include "crypto/kdf.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/hash.h"

namespace teetee::crypto {

Secret<32> HkdfExtract(ByteView salt, ByteView input_key) {
  return Secret<32>(HmacSha256(salt, input_key));
}

void HkdfExpand(ByteView pseudorandom_key, ByteView info, uint8_t* out, size_t size) {
  TT_CHECK(size <= kMaxHkdfOutput);
  Secret<32> block;
  for (size_t done = 0, counter = 1; done < size; ++counter) {
    HmacSha256Stream mac(pseudorandom_key);
    if (counter > 1) mac.Update(block.view());
    const uint8_t octet = static_cast<uint8_t>(counter);
    mac.Update(info).Update(ByteView(&octet, 1));
    block = Secret<32>(mac.Finish());
    const size_t n = std::min(size - done, block.size());
    std::memcpy(out + done, block.data(), n);
    done += n;
  }
}

}  // namespace teetee::crypto
