// The messages of Ethereum's JSON-RPC (execution-apis), as values. Answers are foreign bytes:
// bounded and strictly read; what a node says in words is cut and made printable before it enters
// an error. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "chain/events.h"
#include "chain/wei.h"

namespace teetee::chain {

inline constexpr size_t kMaxRpcResponse = 8u << 20;  // bytes
inline constexpr size_t kMaxLogs = 20'000;           // of one answer

// Which state a question is about.
class BlockId {
 public:
  static BlockId Latest() { return BlockId("latest"); }
  static BlockId Pending() { return BlockId("pending"); }
  static BlockId Safe() { return BlockId("safe"); }
  static BlockId Finalized() { return BlockId("finalized"); }
  static BlockId Number(uint64_t number) { return BlockId(Quantity(number)); }
  const std::string& text() const { return text_; }

 private:
  explicit BlockId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct Block {
  uint64_t number = 0;
  Hash32 hash{};
  Hash32 parent{};
  uint64_t timestamp = 0;  // seconds since 1970
  Wei base_fee;            // per gas
};

struct TxReceipt {
  Hash32 tx_hash{};
  bool succeeded = false;
  uint64_t block_number = 0;
  Hash32 block_hash{};
  uint64_t gas_used = 0;
  Wei gas_price;
  std::optional<Address> contract;  // created by the transaction
  std::vector<LogEntry> logs;
};

struct CallRequest {
  std::optional<Address> from;
  std::optional<Address> to;  // nothing: creates a contract
  Wei value;
  Bytes data;
};

struct LogFilter {
  uint64_t from_block = 0, to_block = 0;  // both included
  std::vector<Address> addresses;         // any of these; empty: all
  std::vector<Hash32> topic0;             // any of these; empty: all
};

std::string RpcRequestText(uint64_t id, std::string_view method, Json params);

struct RpcFailure {
  int64_t code = 0;
  std::string message;  // printable, at most 200 bytes
  Bytes data;           // of a revert
};
struct RpcReply {
  Json result;
  std::optional<RpcFailure> failure;
};
// kDataLoss: not the answer to this request, or no JSON-RPC at all.
Result<RpcReply> ParseRpcReply(std::string_view body, uint64_t id);
// kFailedPrecondition "reverted: ..." for a revert, kResourceExhausted for a limit of the node's,
// kUnimplemented, kInvalidArgument, else kUnavailable.
Error ErrorOf(const RpcFailure& failure);

// What became of a raw transaction that a node was given.
enum class SendResult { kAccepted, kAlreadyKnown, kNonceTooLow, kUnderpriced };
// From the failure's words, which every client software phrases in its own way; nothing if it is
// another failure.
std::optional<SendResult> SendResultOf(const RpcFailure& failure);

Json ToJson(const CallRequest& request);
Json ToJson(const LogFilter& filter);
// Nothing for null: no such block, or not mined.
Result<std::optional<Block>> BlockFromJson(const Json& json);
Result<std::optional<TxReceipt>> ReceiptFromJson(const Json& json);
Result<std::vector<LogEntry>> LogsFromJson(const Json& json);
Result<Uint128> QuantityFromJson(const Json& json);
Result<Bytes> DataFromJson(const Json& json);

}  // namespace teetee::chain
