#include "pipeline/testing/memory_link.h"

namespace teetee::pipeline::testing {
namespace {
constexpr size_t kQueueFrames = 64;
}

net::Task<Status> MemoryLink::Send(uint8_t type, Bytes payload) {
  std::optional<Message> message = Message{type, std::move(payload)};
  if (filter_) message = filter_(*std::move(message));
  if (!message) co_return Ok{};
  bool pushed = co_await out_->Push(*std::move(message));
  if (!pushed) co_return Error(Code::kUnavailable, "the link is closed");
  sent_ += 1;
  co_return Ok{};
}

net::Task<Result<Link::Message>> MemoryLink::Receive() {
  auto message = co_await in_->Pop();
  if (!message || in_->closed()) co_return Error(Code::kUnavailable, "the link is closed");
  co_return *std::move(message);
}

void MemoryLink::Close() {
  in_->Close();
  out_->Close();
}

std::pair<std::shared_ptr<MemoryLink>, std::shared_ptr<MemoryLink>> MakeLinkPair(
    const net::Executor& executor, attest::Claims first, attest::Claims second) {
  auto there = std::make_shared<MemoryLink::Queue>(executor, kQueueFrames);
  auto back = std::make_shared<MemoryLink::Queue>(executor, kQueueFrames);
  std::shared_ptr<MemoryLink> a(new MemoryLink(back, there, std::move(second)));
  std::shared_ptr<MemoryLink> b(new MemoryLink(there, back, std::move(first)));
  return {std::move(a), std::move(b)};
}

}  // namespace teetee::pipeline::testing
