// For tests: a pair of pipeline links in memory, whose ends can drop, change or hold back frames and die.
// Threads: one io_context.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "pipeline/link.h"

namespace teetee::pipeline::testing {

class MemoryLink : public Link {
 public:
  // What becomes of a frame that this end sends: itself, another, or nothing at all.
  using Filter = std::function<std::optional<Message>(Message message)>;

  net::Task<Status> Send(uint8_t type, Bytes payload) override;
  net::Task<Result<Message>> Receive() override;
  const attest::Claims& peer() const override { return peer_; }
  bool fresh() const override { return fresh_; }
  void Close() override;  // both directions: frames on their way are lost

  void set_filter(Filter filter) { filter_ = std::move(filter); }
  void set_fresh(bool fresh) { fresh_ = fresh; }
  bool closed() const { return in_->closed(); }
  uint64_t sent() const { return sent_; }  // frames that passed the filter

 private:
  friend std::pair<std::shared_ptr<MemoryLink>, std::shared_ptr<MemoryLink>> MakeLinkPair(
      const net::Executor& executor, attest::Claims first, attest::Claims second);
  using Queue = net::AsyncQueue<Message>;
  MemoryLink(std::shared_ptr<Queue> in, std::shared_ptr<Queue> out, attest::Claims peer)
      : in_(std::move(in)), out_(std::move(out)), peer_(std::move(peer)) {}

  std::shared_ptr<Queue> in_, out_;
  attest::Claims peer_;
  Filter filter_;
  bool fresh_ = true;
  uint64_t sent_ = 0;
};

// The ends of `first` and `second`; each sees the other's claims.
std::pair<std::shared_ptr<MemoryLink>, std::shared_ptr<MemoryLink>> MakeLinkPair(
    const net::Executor& executor, attest::Claims first, attest::Claims second);

}  // namespace teetee::pipeline::testing
