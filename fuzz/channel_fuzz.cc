// Frame headers and the control messages of the channel; what is accepted must encode to the same
// bytes.
#include <algorithm>

#include "transport/frame.h"

using teetee::ByteView;
namespace transport = teetee::transport;

static void Same(const teetee::Bytes& encoded, ByteView input) {
  if (!std::equal(encoded.begin(), encoded.end(), input.begin(), input.end())) __builtin_trap();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView input(data, size);
  if (size >= transport::kFrameHeader) {
    teetee::ByteArray<transport::kFrameHeader> head;
    std::copy_n(data, head.size(), head.begin());
    auto header = transport::DecodeFrameHeader(head, 1u << 20);
    if (header && transport::EncodeFrameHeader(*header) != head) __builtin_trap();
    if (header && header->size > (1u << 20)) __builtin_trap();
  }
  if (auto nonce = transport::DecodeNonce(input)) Same(transport::EncodeNonce(*nonce), input);
  if (auto attest = transport::DecodeAttest(input)) Same(transport::EncodeAttest(*attest), input);
  if (auto verdict = transport::DecodeVerdict(input))
    Same(transport::EncodeVerdict(*verdict), input);
  return 0;
}
