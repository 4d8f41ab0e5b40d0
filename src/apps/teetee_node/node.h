// A running node: identity, attested channels, compute, and the HTTP interface of docs/formats/http-api.md. Slot 0 has the head on top; all
// others serve heads. Threads: one io_context; compute and quoting have their own.
#pragma once

#include <memory>

#include "apps/teetee_node/facts.h"
#include "apps/teetee_node/options.h"
#include "crypto/x25519.h"
#include "net/http_server.h"
#include "transport/channel.h"

namespace teetee::node {

class Node {
 public:
  // Blocks while the first evidence is made.
  static Result<std::unique_ptr<Node>> Create(net::IoContext& io, Options options, ModelFacts facts);
  ~Node();

  // Opens the sockets and runs until Stop.
  Status Start();
  net::Task<void> Stop();

  struct State;

 private:
  explicit Node(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace teetee::node
