#include "chain/rpc_codec.h"

#include <algorithm>

#include "chain/revert.h"

namespace teetee::chain {
namespace {

constexpr size_t kMaxMessage = 200;
constexpr int64_t kRevertCode = 3;
constexpr int64_t kLimitExceeded = -32005;
constexpr int64_t kMethodNotFound = -32601;
constexpr int64_t kInvalidParams = -32602;

Error Bad(const char* what) { return Error(Code::kDataLoss, what); }

std::string Printable(std::string_view text) {
  std::string out(text.substr(0, kMaxMessage));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// A string, or an object with the string in its member "data", as some clients nest it.
Bytes RevertData(const Json* data) {
  if (data != nullptr && data->is_object()) data = data->Find("data");
  if (data == nullptr || !data->is_string()) return {};
  auto bytes = FromHex(data->as_string());
  return bytes ? *std::move(bytes) : Bytes{};
}

RpcFailure FailureFromJson(const Json& json) {
  RpcFailure out;
  if (auto code = json.GetInt64("code")) out.code = *code;
  if (const Json* message = json.Find("message"); message && message->is_string()) {
    out.message = Printable(message->as_string());
  }
  out.data = RevertData(json.Find("data"));
  return out;
}

Result<uint64_t> Quantity64(const Json& json, std::string_view key) {
  const std::string text = TT_TRY(json.GetString(key));
  return ParseQuantity64(text);
}

Result<Hash32> HashMember(const Json& json, std::string_view key) {
  const std::string text = TT_TRY(json.GetString(key));
  return FromHexFixed<32>(text);
}

// An amount that older chains leave out.
Result<Wei> OptionalAmount(const Json& json, std::string_view key) {
  const Json* member = json.Find(key);
  if (member == nullptr || member->is_null()) return Wei();
  return Wei(TT_TRY(QuantityFromJson(*member)));
}

Json HexArray(const std::vector<Hash32>& values) {
  Json out = Json::MakeArray();
  for (const Hash32& value : values) out.Push(ToHex0x(value));
  return out;
}

}  // namespace

std::string RpcRequestText(uint64_t id, std::string_view method, Json params) {
  Json out = Json::MakeObject();
  out.Set("jsonrpc", "2.0").Set("id", id).Set("method", method).Set("params", std::move(params));
  return out.Dump();
}

Result<RpcReply> ParseRpcReply(std::string_view body, uint64_t id) {
  auto json = Json::Parse(body, {kMaxRpcResponse, 32});
  if (!json) return std::move(json).error().Context("RPC answer");
  const Json* error = json->Find("error");
  const bool failed = error != nullptr && !error->is_null();
  auto answered = json->GetUint64("id");
  // A node that cannot read a request answers it with the id null.
  if (!(answered && *answered == id) && !failed) return Bad("RPC answer: for another request");
  RpcReply out;
  if (failed) {
    out.failure = FailureFromJson(*error);
    return out;
  }
  Json* result = json->Find("result");
  if (result == nullptr) return Bad("RPC answer: neither result nor error");
  out.result = std::move(*result);
  return out;
}

Error ErrorOf(const RpcFailure& failure) {
  const bool says_revert = Lower(failure.message).find("revert") != std::string::npos;
  if (failure.code == kRevertCode || says_revert || !failure.data.empty()) {
    const Revert revert = ExplainRevert(failure.data);
    const std::string name = revert.name.empty() ? "" : revert.name + ": ";
    return Error(Code::kFailedPrecondition, "reverted: " + name + revert.meaning);
  }
  const std::string text =
      "the node answered error " + std::to_string(failure.code) + ": " + failure.message;
  switch (failure.code) {
    case kLimitExceeded:
      return Error(Code::kResourceExhausted, text);
    case kMethodNotFound:
      return Error(Code::kUnimplemented, text);
    case kInvalidParams:
      return Error(Code::kInvalidArgument, text);
    default:
      return Error(Code::kUnavailable, text);
  }
}

std::optional<SendResult> SendResultOf(const RpcFailure& failure) {
  const std::string text = Lower(failure.message);
  const auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (says("already known") || says("already imported") || says("alreadyknown")) {
    return SendResult::kAlreadyKnown;
  }
  if (says("nonce too low") || says("nonce is too low") || says("oldnonce")) {
    return SendResult::kNonceTooLow;
  }
  if (says("underpriced") || says("fee too low") || says("less than block base fee")) {
    return SendResult::kUnderpriced;
  }
  return std::nullopt;
}

Json ToJson(const CallRequest& request) {
  Json out = Json::MakeObject();
  if (request.from) out.Set("from", ToHex0x(*request.from));
  if (request.to) out.Set("to", ToHex0x(*request.to));
  if (!request.value.is_zero()) out.Set("value", Quantity(request.value.value()));
  out.Set("data", ToHex0x(request.data));
  return out;
}

Json ToJson(const LogFilter& filter) {
  Json out = Json::MakeObject();
  out.Set("fromBlock", Quantity(filter.from_block)).Set("toBlock", Quantity(filter.to_block));
  if (!filter.addresses.empty()) {
    Json addresses = Json::MakeArray();
    for (const Address& address : filter.addresses) addresses.Push(ToHex0x(address));
    out.Set("address", std::move(addresses));
  }
  if (!filter.topic0.empty()) {
    Json topics = Json::MakeArray();
    topics.Push(HexArray(filter.topic0));
    out.Set("topics", std::move(topics));
  }
  return out;
}

Result<std::optional<Block>> BlockFromJson(const Json& json) {
  if (json.is_null()) return std::optional<Block>();
  Block out;
  out.number = TT_TRY(Quantity64(json, "number"));
  out.hash = TT_TRY(HashMember(json, "hash"));
  out.parent = TT_TRY(HashMember(json, "parentHash"));
  out.timestamp = TT_TRY(Quantity64(json, "timestamp"));
  out.base_fee = TT_TRY(OptionalAmount(json, "baseFeePerGas"));
  return std::optional<Block>(out);
}

Result<std::optional<TxReceipt>> ReceiptFromJson(const Json& json) {
  if (json.is_null()) return std::optional<TxReceipt>();
  TxReceipt out;
  out.tx_hash = TT_TRY(HashMember(json, "transactionHash"));
  const uint64_t status = TT_TRY(Quantity64(json, "status"));
  if (status > 1) return Bad("receipt: status is not 0 or 1");
  out.succeeded = status == 1;
  out.block_number = TT_TRY(Quantity64(json, "blockNumber"));
  out.block_hash = TT_TRY(HashMember(json, "blockHash"));
  out.gas_used = TT_TRY(Quantity64(json, "gasUsed"));
  out.gas_price = TT_TRY(OptionalAmount(json, "effectiveGasPrice"));
  if (const Json* contract = json.Find("contractAddress"); contract && contract->is_string()) {
    out.contract = TT_TRY(FromHexFixed<20>(contract->as_string()));
  }
  const Json* logs = TT_TRY(json.GetArray("logs"));
  out.logs = TT_TRY(LogsFromJson(*logs));
  return std::optional<TxReceipt>(std::move(out));
}

Result<std::vector<LogEntry>> LogsFromJson(const Json& json) {
  if (!json.is_array()) return Bad("logs: not a list");
  if (json.as_array().size() > kMaxLogs) {
    return Error(Code::kResourceExhausted, "logs: more than one answer may hold");
  }
  std::vector<LogEntry> out;
  for (const Json& log : json.as_array()) out.push_back(TT_TRY(LogFromJson(log)));
  return out;
}

Result<Uint128> QuantityFromJson(const Json& json) {
  if (!json.is_string()) return Bad("RPC answer: expected a quantity");
  return ParseQuantity(json.as_string());
}

Result<Bytes> DataFromJson(const Json& json) {
  if (!json.is_string()) return Bad("RPC answer: expected hexadecimal data");
  return FromHex(json.as_string());
}

}  // namespace teetee::chain
