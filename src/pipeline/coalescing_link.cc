#include "pipeline/coalescing_link.h"

#include <boost/asio/post.hpp>
#include <deque>
#include <vector>

#include "pipeline/frames.h"

namespace teetee::pipeline {
namespace {

constexpr size_t kBatchBytes = 4u << 20;  // of the frames in one BATCH; larger ones travel alone

// What goes out together, and what became of it.
struct Flush {
  explicit Flush(const net::Executor& executor) : done(executor) {}
  std::deque<Link::Message> messages;
  Status result = Ok{};
  net::Event done;
};

// As many small frames as fit, or one.
Link::Message TakeNext(std::deque<Link::Message>& messages) {
  std::vector<BatchEntry> entries;
  size_t bytes = 0;
  while (!messages.empty() && entries.size() < kMaxBatchFrames) {
    const size_t size = messages.front().payload.size();
    if (!entries.empty() && bytes + size > kBatchBytes) break;
    bytes += size;
    entries.push_back({messages.front().type, std::move(messages.front().payload)});
    messages.pop_front();
  }
  if (entries.size() == 1) return {entries[0].type, std::move(entries[0].payload)};
  return {kBatch, SerializeBatch(entries)};
}

// Outlives the link while a write is on its way.
struct Outbox : std::enable_shared_from_this<Outbox> {
  Outbox(net::Executor on, std::shared_ptr<Link> to) : executor(std::move(on)), link(std::move(to)) {}
  net::Executor executor;
  std::shared_ptr<Link> link;
  std::deque<std::shared_ptr<Flush>> flushes;  // the last one may still grow
  bool open = false;                           // it may
  bool writing = false;

  // The flush of this turn of the event loop. Whoever became ready together with the caller is ahead of the posted handler.
  std::shared_ptr<Flush> Current() {
    if (open) return flushes.back();
    open = true;
    flushes.push_back(std::make_shared<Flush>(executor));
    net::asio::post(executor, [self = shared_from_this()] {
      self->open = false;
      if (self->writing) return;
      self->writing = true;
      net::Spawn(self->executor, Write(self), "link writer");
    });
    return flushes.back();
  }

  static net::Task<void> Write(std::shared_ptr<Outbox> self) {
    while (!self->flushes.empty() && !(self->open && self->flushes.size() == 1)) {
      auto flush = self->flushes.front();
      self->flushes.pop_front();
      while (!flush->messages.empty() && flush->result) {
        Link::Message message = TakeNext(flush->messages);
        flush->result = co_await self->link->Send(message.type, std::move(message.payload));
      }
      flush->done.Set();
    }
    self->writing = false;
  }
};

class CoalescingLink final : public Link {
 public:
  CoalescingLink(const net::Executor& executor, std::shared_ptr<Link> link)
      : link_(link), outbox_(std::make_shared<Outbox>(executor, std::move(link))) {}

  net::Task<Status> Send(uint8_t type, Bytes payload) override {
    auto flush = outbox_->Current();
    flush->messages.push_back({type, std::move(payload)});
    co_await flush->done.Wait();
    co_return flush->result;
  }

  net::Task<Status> SendAll(std::vector<Message> messages) override {
    auto flush = outbox_->Current();
    for (Message& message : messages) flush->messages.push_back(std::move(message));
    co_await flush->done.Wait();
    co_return flush->result;
  }

  net::Task<Result<Message>> Receive() override {
    while (received_.empty()) {
      auto message = co_await link_->Receive();
      TT_CO_CHECK(message);
      if (message->type != kBatch) co_return *std::move(message);
      auto inner = ParseBatch(message->payload);
      TT_CO_CHECK(inner);
      for (BatchEntry& entry : *inner) received_.push_back({entry.type, std::move(entry.payload)});
    }
    Message first = std::move(received_.front());
    received_.pop_front();
    co_return first;
  }

  const attest::Claims& peer() const override { return link_->peer(); }
  bool fresh() const override { return link_->fresh(); }
  void Close() override { link_->Close(); }

 private:
  std::shared_ptr<Link> link_;
  std::shared_ptr<Outbox> outbox_;
  std::deque<Message> received_;
};

}  // namespace

std::shared_ptr<Link> Coalesce(const net::Executor& executor, std::shared_ptr<Link> link) {
  return std::make_shared<CoalescingLink>(executor, std::move(link));
}

}  // namespace teetee::pipeline
