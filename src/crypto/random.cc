#include "crypto/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace teetee::crypto {

void RandomBytes(uint8_t* out, size_t size) {
  while (size > 0) {
    ssize_t n = ::getrandom(out, size, 0);
    if (n < 0 && errno == EINTR) continue;
    TT_CHECK(n > 0);
    out += n;
    size -= static_cast<size_t>(n);
  }
}

}  // namespace teetee::crypto
