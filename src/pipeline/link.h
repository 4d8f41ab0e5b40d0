// An attested connection to another node, as the pipeline sees it. transport::Channel is the real one; tests have one in memory
// whose peer can die, stall or lie. Threads: one io_context.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "attest/format/claims.h"
#include "net/async.h"
#include "protocol/plan.h"

namespace teetee::pipeline {

class Link {
 public:
  struct Message {
    uint8_t type = 0;
    Bytes payload;
  };
  virtual ~Link() = default;
  // Waits while the send queue is full. An error means that the link is dead.
  virtual net::Task<Status> Send(uint8_t type, Bytes payload) = 0;
  // One after another; an implementation may put them into one write.
  virtual net::Task<Status> SendAll(std::vector<Message> messages) {
    for (Message& message : messages) {
      Status sent = co_await Send(message.type, std::move(message.payload));
      TT_CO_CHECK(sent);
    }
    co_return Ok{};
  }
  virtual net::Task<Result<Message>> Receive() = 0;
  virtual const attest::Claims& peer() const = 0;  // as verified
  virtual bool fresh() const = 0;                  // re-attested in time: new sequences may start
  virtual void Close() = 0;
};

// Opens a link to the node of a plan and checks that it is the one: key, slot, model and weights root.
using DialFn = std::function<net::Task<Result<std::shared_ptr<Link>>>(protocol::PlanNode node)>;

}  // namespace teetee::pipeline
