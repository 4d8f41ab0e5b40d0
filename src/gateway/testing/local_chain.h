// For tests: anvil on a port of its own with the contracts on it, and an account that may do what
// hosts and users do.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "chain/rpc.h"
#include "chain/sender.h"
#include "gateway/store.h"

namespace teetee::gateway::testing {

class LocalChain {
 public:
  // Why the tests cannot run here (no npm ci, no forge build), or "".
  static std::string Missing();
  // Starts anvil and deploys; `folder` takes journals. The process dies with this object.
  LocalChain(net::IoContext& io, std::string folder);
  ~LocalChain();
  bool Deploy();

  const std::string& url() const { return url_; }
  chain::Rpc& rpc() { return *rpc_; }
  StoreIdentity identity() const { return identity_; }
  uint64_t first_block() const { return first_block_; }
  const Address& verifier() const { return verifier_; }
  const Address& account() const { return sender_->address(); }
  const crypto::SigningKey& key() const { return key_; }

  // Sends from the rich account; an error unless it is mined and succeeds.
  net::Task<Status> Send(Address to, chain::Wei value, Bytes data);
  net::Task<Status> AddModel(chain::Model model);
  net::Task<Status> Join(chain::Model model, uint8_t slot, Address key, std::string url);
  net::Task<Result<Json>> Dev(std::string method, Json params);  // a method of development chains

 private:
  net::IoContext& io_;
  std::string folder_, url_;
  uint16_t port_ = 0;
  pid_t pid_ = 0;
  std::unique_ptr<chain::Rpc> rpc_;
  crypto::SigningKey key_, auditor_;
  std::unique_ptr<chain::Sender> sender_;
  StoreIdentity identity_;
  Address verifier_{};
  uint64_t first_block_ = 0;
};

}  // namespace teetee::gateway::testing
