// The durable memory of a Sender: one line of JSON per fact, appended and synced before anything is
// sent, so that a restart neither forgets a transaction nor sends it twice. A torn last line (a
// crash while writing) is dropped. Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "chain/tx.h"

namespace teetee::chain {

struct TxIntent {
  Address to{};
  Wei value;
  Bytes data;
  std::string label;  // for people and logs: "settleBatch 17"
};

// An intent that is not done, with every transaction that was signed for it, oldest first.
struct OpenIntent {
  TxIntent intent;
  struct Attempt {
    uint64_t nonce = 0;
    Wei max_fee, max_priority_fee;
    uint64_t gas = 0;
    SignedTx tx;
  };
  std::vector<Attempt> attempts;
};

class TxJournal {
 public:
  // Creates the file (mode 0600) or reads it and drops what is done. kFailedPrecondition: it
  // belongs to another chain or account. kDataLoss: damaged.
  static Result<TxJournal> Open(const std::string& path, uint64_t chain_id, const Address& account);
  ~TxJournal();
  TxJournal(TxJournal&&) noexcept;

  const std::map<uint64_t, OpenIntent>& open_intents() const { return open_; }
  uint64_t next_id() const { return next_id_; }

  // Each is on the disk when it returns.
  Status Submitted(uint64_t id, const TxIntent& intent);
  Status Signed(uint64_t id, const SignedTx& tx);
  Status Done(uint64_t id);

 private:
  explicit TxJournal(std::string path) : path_(std::move(path)) {}
  Status Load(std::string_view content, uint64_t chain_id, const Address& account);
  Status Replay(std::string_view line);
  Status Rewrite(uint64_t chain_id, const Address& account);
  Status Append(const std::string& line);

  std::string path_;
  int fd_ = -1;
  uint64_t next_id_ = 1;
  std::map<uint64_t, OpenIntent> open_;
};

}  // namespace teetee::chain
