// Sends transactions of one account, one Sender per key: it owns the nonce. An intent is on the
// disk before anything is sent; it is then tried at the latest block, signed, sent, sent again, and
// its fee raised, until the chain has it. A transaction whose outcome is unknown is pending, never
// failed: giving it up and sending another would pay twice. Threads: one io_context. The key pays
// gas and holds nothing else; it is never a node's signing key.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/journal.h"
#include "chain/rpc.h"
#include "crypto/secp256k1.h"
#include "net/async.h"

namespace teetee::chain {

struct SenderOptions {
  uint64_t chain_id = 0;
  std::string journal_path;
  uint64_t confirmations = 1;                         // 1: mined is enough
  uint64_t bump_after_blocks = 3;                     // not mined for so long: both fees x 1.125
  Wei max_fee_cap = Wei(Uint128{2'000'000'000'000});  // wei per gas, 2,000 gwei: fees stop here
  net::Millis poll{1'000};
};

enum class TxState {
  kMined,     // and it succeeded
  kReverted,  // mined, and it failed: gas was paid, nothing else happened
  kRefused,   // never sent: it would have failed
};
struct TxOutcome {
  TxState state = TxState::kRefused;
  std::optional<TxReceipt> receipt;  // of a mined one
  std::string why;                   // in plain words, unless mined
};

class Sender {
 public:
  // Reads the journal and goes on with what it holds. The Rpc outlives the Sender.
  static Result<std::unique_ptr<Sender>> Open(Rpc* rpc, crypto::SigningKey key,
                                              SenderOptions options);

  const Address& address() const { return key_.address(); }

  // The intent's id; it is on the disk and will be sent by Run(), also after a restart. Intents are
  // sent in order.
  Result<uint64_t> Submit(TxIntent intent);
  // kDeadlineExceeded: still pending, and it stays so. kNotFound: unknown id, or done before the
  // last restart.
  net::Task<Result<TxOutcome>> Wait(uint64_t id, net::Millis limit);
  net::Task<Result<TxOutcome>> SubmitAndWait(TxIntent intent, net::Millis limit);

  // Drives everything until it is cancelled. Errors (the chain is not reachable) are logged once
  // per change and tried again.
  net::Task<void> Run();
  // One round of Run(), for tests.
  net::Task<Status> Tick();
  size_t pending() const { return journal_.open_intents().size(); }

 private:
  struct Progress {           // of an open intent; not durable
    uint64_t sent_block = 0;  // when its newest attempt was sent
    bool sent = false;        // its newest attempt was taken by a node
    uint64_t lost_since =
        0;  // block at which another transaction was seen to have used its nonce; 0: none
  };
  struct Fees {
    Wei max_fee, priority;
  };

  Sender(Rpc* rpc, crypto::SigningKey key, SenderOptions options, TxJournal journal);
  net::Task<Status> Advance(uint64_t id, Block latest, uint64_t mined_nonce, bool is_first);
  net::Task<Result<bool>> CheckMined(uint64_t id, Block latest);
  net::Task<Status> Start(uint64_t id, Block latest, bool is_first);
  net::Task<Status> SignAndSend(uint64_t id, uint64_t nonce, Fees fees, uint64_t gas,
                                uint64_t block);
  net::Task<Status> Resend(uint64_t id, uint64_t block);
  net::Task<Status> Bump(uint64_t id, Block latest);
  net::Task<Status> FillGap(Block latest, uint64_t mined_nonce);
  net::Task<Result<uint64_t>> NextNonce();
  net::Task<Result<Fees>> CurrentFees(Block latest);
  Status Finish(uint64_t id, TxOutcome outcome);
  CallRequest RequestOf(const TxIntent& intent) const;

  Rpc* rpc_;
  crypto::SigningKey key_;
  SenderOptions options_;
  TxJournal journal_;
  uint64_t gap_since_ = 0;  // block at which a nonce below all of ours was first missing; 0: none
  bool wake_ = false;       // an intent came while Run() rested
  std::map<uint64_t, Progress> progress_;
  std::map<uint64_t, TxOutcome> outcomes_;  // the newest kMaxOutcomes
};

}  // namespace teetee::chain
