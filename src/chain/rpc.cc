#include "chain/rpc.h"

namespace teetee::chain {
namespace {

// g++ 12: made in a statement of its own, never inside a co_await.
Json Params(std::initializer_list<Json> values) { return Json(Json::Array(values)); }

}  // namespace

Rpc::Rpc(const net::Executor& executor, RpcOptions options)
    : http_(executor), options_(std::move(options)) {}

net::Task<Result<RpcReply>> Rpc::Exchange(std::string method, Json params) {
  const uint64_t id = next_id_++;
  const std::string text = RpcRequestText(id, method, std::move(params));
  net::HttpRequestOptions request;
  request.method = "POST";
  request.url = options_.url;
  request.headers.Add("Content-Type", "application/json");
  request.body = ToBytes(AsBytes(text));
  request.timeout = options_.timeout;
  request.max_response_bytes = kMaxRpcResponse;
  auto response = co_await http_.Fetch(std::move(request));
  if (!response) co_return std::move(response).error().Context("chain RPC " + method);
  auto reply = ParseRpcReply(response->text(), id);
  if (reply) co_return *std::move(reply);
  if (response->status != 200) {  // an error page of a proxy, not of the node
    co_return Error(Code::kUnavailable,
                    "chain RPC " + method + ": HTTP status " + std::to_string(response->status));
  }
  co_return std::move(reply).error().Context("chain RPC " + method);
}

net::Task<Result<Json>> Rpc::Request(std::string method, Json params) {
  auto reply = co_await Exchange(method, std::move(params));
  TT_CO_CHECK(reply);
  if (reply->failure) co_return ErrorOf(*reply->failure).Context("chain RPC " + method);
  co_return std::move(reply->result);
}

net::Task<Result<Uint128>> Rpc::RequestQuantity(std::string method, Json params) {
  auto json = co_await Request(method, std::move(params));
  TT_CO_CHECK(json);
  auto value = QuantityFromJson(*json);
  if (!value) co_return std::move(value).error().Context("chain RPC " + method);
  co_return *value;
}

net::Task<Result<uint64_t>> Rpc::RequestQuantity64(std::string method, Json params) {
  auto value = co_await RequestQuantity(method, std::move(params));
  TT_CO_CHECK(value);
  if (*value > ~uint64_t{0}) {
    co_return Error(Code::kDataLoss, "chain RPC " + method + ": a number over 64 bits");
  }
  co_return static_cast<uint64_t>(*value);
}

net::Task<Result<uint64_t>> Rpc::ChainId() { return RequestQuantity64("eth_chainId", Params({})); }

net::Task<Result<uint64_t>> Rpc::BlockNumber() {
  return RequestQuantity64("eth_blockNumber", Params({}));
}

net::Task<Result<std::optional<Block>>> Rpc::GetBlock(BlockId id) {
  Json params = Params({id.text(), false});
  auto json = co_await Request("eth_getBlockByNumber", std::move(params));
  TT_CO_CHECK(json);
  auto block = BlockFromJson(*json);
  if (!block) co_return std::move(block).error().Context("chain RPC eth_getBlockByNumber");
  co_return *std::move(block);
}

net::Task<Result<Bytes>> Rpc::EthCall(CallRequest request, BlockId at) {
  Json params = Params({ToJson(request), at.text()});
  auto json = co_await Request("eth_call", std::move(params));
  TT_CO_CHECK(json);
  co_return DataFromJson(*json);
}

net::Task<Result<uint64_t>> Rpc::EstimateGas(CallRequest request) {
  return RequestQuantity64("eth_estimateGas", Params({ToJson(request)}));
}

net::Task<Result<SendResult>> Rpc::SendRawTransaction(Bytes raw) {
  Json params = Params({ToHex0x(raw)});
  auto reply = co_await Exchange("eth_sendRawTransaction", std::move(params));
  TT_CO_CHECK(reply);
  if (!reply->failure) co_return SendResult::kAccepted;
  if (auto known = SendResultOf(*reply->failure)) co_return *known;
  co_return ErrorOf(*reply->failure).Context("chain RPC eth_sendRawTransaction");
}

net::Task<Result<std::optional<TxReceipt>>> Rpc::GetReceipt(Hash32 tx) {
  Json params = Params({ToHex0x(tx)});
  auto json = co_await Request("eth_getTransactionReceipt", std::move(params));
  TT_CO_CHECK(json);
  auto receipt = ReceiptFromJson(*json);
  if (!receipt) co_return std::move(receipt).error().Context("chain RPC eth_getTransactionReceipt");
  if (*receipt && (*receipt)->tx_hash != tx) {
    co_return Error(Code::kDataLoss, "chain RPC: a receipt of another transaction");
  }
  co_return *std::move(receipt);
}

net::Task<Result<uint64_t>> Rpc::GetNonce(Address account, BlockId at) {
  return RequestQuantity64("eth_getTransactionCount", Params({ToHex0x(account), at.text()}));
}

net::Task<Result<Wei>> Rpc::GetBalance(Address account, BlockId at) {
  Json params = Params({ToHex0x(account), at.text()});
  auto value = co_await RequestQuantity("eth_getBalance", std::move(params));
  TT_CO_CHECK(value);
  co_return Wei(*value);
}

net::Task<Result<std::vector<LogEntry>>> Rpc::GetLogs(LogFilter filter) {
  Json params = Params({ToJson(filter)});
  auto json = co_await Request("eth_getLogs", std::move(params));
  TT_CO_CHECK(json);
  auto logs = LogsFromJson(*json);
  if (!logs) co_return std::move(logs).error().Context("chain RPC eth_getLogs");
  co_return *std::move(logs);
}

net::Task<Result<Wei>> Rpc::MaxPriorityFee() {
  Json params = Params({});
  auto value = co_await RequestQuantity("eth_maxPriorityFeePerGas", std::move(params));
  TT_CO_CHECK(value);
  co_return Wei(*value);
}

}  // namespace teetee::chain
