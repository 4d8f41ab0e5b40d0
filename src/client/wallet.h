// The user's money on one machine: the account that buys credits and funds tabs, a session key per line that signs vouchers, and the count of
// what was used. Vouchers never cover more than was used plus what is in flight. Source: SYSTEM 7, CONTRACTS 0.6. Threads: one io_context.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "attest/policy/trust_file.h"
#include "chain/eip712.h"
#include "chain/rpc.h"
#include "chain/sender.h"
#include "net/async.h"
#include "protocol/payment.h"

namespace teetee::client {

struct WalletSettings {
  std::string state;  // folder: session keys, counts, sender journal
  chain::Wei top_up = chain::Wei(chain::Uint128{2'000'000'000'000'000});  // put into a tab at a time: 0.002 ETH
  net::Millis chain_limit{60'000};  // for a transaction to be mined
};

// A voucher on its way: covers one request until it is settled with the real cost.
struct Voucher {
  protocol::TabPayment payment;
  chain::Wei reserved;
};

struct TabStatus {
  Hash32 line{};
  chain::Tab tab;
  chain::Wei used, in_flight;
};

class Wallet {
 public:
  static Result<std::unique_ptr<Wallet>> Open(const net::Executor& executor, chain::Rpc& rpc, const attest::TrustFile& trust,
                                              crypto::SigningKey key, WalletSettings settings);

  const crypto::Address& address() const { return address_; }
  chain::Sender& sender() { return *sender_; }
  const chain::Domain& domain() const { return domain_; }

  net::Task<Result<chain::Wei>> Credits();  // on the ledger
  net::Task<Result<chain::Wei>> Ether();    // of the account

  // Makes sure that the tab holds at least what is used, in flight and `most`; opens or tops it up (buying credits when there are too few),
  // and signs. kPaymentRequired when the account cannot pay.
  net::Task<Result<Voucher>> Cover(Hash32 model, crypto::Address head, chain::Wei most);
  // Signs again for a larger request.
  net::Task<Result<Voucher>> Raise(Hash32 model, crypto::Address head, Voucher voucher, chain::Wei most);
  // The request is over: cost counts as used (0 when it failed). kDataLoss when the cost is above what was reserved.
  Status Settle(const Hash32& line, const Voucher& voucher, chain::Wei cost);

  // Opens a strict query on chain and waits until it is mined.
  net::Task<Result<chain::Query>> OpenQuery(Hash32 model, crypto::Address head, Hash32 input, chain::Wei most);
  net::Task<Status> Refund(chain::Query query);

  net::Task<Result<TabStatus>> Tab(Hash32 model, crypto::Address head);
  // A voucher for what is used: names the tab in a request to release it.
  net::Task<Result<protocol::TabPayment>> Name(Hash32 model, crypto::Address head);
  net::Task<Status> Send(chain::TxIntent intent);
  std::vector<std::pair<Hash32, crypto::Address>> Lines() const;  // (model, head) that this wallet has tabs on

 private:
  struct Line {
    Hash32 model{};
    crypto::Address head{};
    std::shared_ptr<crypto::SigningKey> session;
    uint32_t epoch = 0;
    chain::Wei used, in_flight;
  };
  Wallet(const net::Executor& executor, chain::Rpc& rpc, const attest::TrustFile& trust, const crypto::Address& address, WalletSettings settings);
  Status Load();
  Status Save() const;
  Result<Line*> LineFor(const Hash32& model, const crypto::Address& head);
  net::Task<Status> EnsureFunded(Line& line, const Hash32& id, chain::Wei wanted);
  net::Task<Status> EnsureCredits(chain::Wei amount);
  Result<Voucher> Sign(Line& line, const Hash32& id, chain::Wei most);

  chain::Rpc& rpc_;
  const attest::TrustFile& trust_;
  crypto::Address address_;
  WalletSettings settings_;
  chain::Domain domain_;
  std::unique_ptr<chain::Sender> sender_;
  net::AsyncMutex mutex_;  // one change of tabs at a time
  std::map<Hash32, Line> lines_;
};

}  // namespace teetee::client
