#include "transport/frame_stream.h"

#include <algorithm>

#include "transport/check.h"

namespace teetee::transport {
namespace {
constexpr size_t kGrowth = 1u << 20;  // bytes allocated ahead of what has arrived
}

// How many bytes came before the stream ended; `size` unless it did.
net::Task<Result<size_t>> FrameStream::ReadInto(uint8_t* out, size_t size, net::Millis timeout) {
  size_t have = 0;
  while (have < size) {
    auto count = co_await tls_->Read(std::span(out + have, size - have), timeout);
    TT_CO_CHECK(count);
    if (*count == 0) break;
    have += *count;
  }
  co_return have;
}

net::Task<Result<Frame>> FrameStream::Read(net::Millis timeout) {
  ByteArray<kFrameHeader> head;
  auto have = co_await ReadInto(head.data(), head.size(), timeout);
  TT_CO_CHECK(have);
  if (*have == 0) co_return Error(Code::kUnavailable, "the peer closed the channel");
  if (*have < head.size()) co_return attest::Refuse(check::kFrame, "cut off");
  auto header = DecodeFrameHeader(head, max_payload_);
  TT_CO_CHECK(header);
  Frame frame;
  frame.type = header->type;
  while (frame.payload.size() < header->size) {
    size_t before = frame.payload.size();
    size_t part = std::min<size_t>(header->size - before, std::max(kGrowth, before));
    frame.payload.resize(before + part);
    have = co_await ReadInto(frame.payload.data() + before, part, timeout);
    TT_CO_CHECK(have);
    if (*have < part) co_return attest::Refuse(check::kFrame, "cut off");
  }
  co_return frame;
}

net::Task<Status> FrameStream::Write(uint8_t type, ByteView payload, net::Millis timeout) {
  ByteArray<kFrameHeader> head = EncodeFrameHeader({static_cast<uint32_t>(payload.size()), type});
  co_return co_await tls_->Write(head, payload, timeout);
}

}  // namespace teetee::transport
