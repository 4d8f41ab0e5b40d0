// A client of one Ethereum node's JSON-RPC over HTTP. The node is untrusted: its answers are
// checked for form, never for truth. Threads: one io_context, as all of net. Errors: kUnavailable
// when the node cannot be reached or answers nonsense of its own, kDeadlineExceeded,
// kFailedPrecondition for a reverted call (in plain words), kResourceExhausted for a limit,
// kDataLoss for an answer that is malformed. Every error names the method.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chain/contracts.h"
#include "chain/rpc_codec.h"
#include "net/async.h"
#include "net/http_client.h"

namespace teetee::chain {

struct RpcOptions {
  std::string url;
  net::Millis timeout{10'000};  // of one exchange
};

// Tasks must not outlive it.
class Rpc {
 public:
  Rpc(const net::Executor& executor, RpcOptions options);

  net::Task<Result<uint64_t>> ChainId();
  net::Task<Result<uint64_t>> BlockNumber();
  net::Task<Result<std::optional<Block>>> GetBlock(BlockId id);  // nothing: no such block
  net::Task<Result<Bytes>> EthCall(CallRequest request, BlockId at);
  net::Task<Result<uint64_t>> EstimateGas(CallRequest request);
  net::Task<Result<SendResult>> SendRawTransaction(Bytes raw);
  net::Task<Result<std::optional<TxReceipt>>> GetReceipt(Hash32 tx);  // nothing: not mined
  net::Task<Result<uint64_t>> GetNonce(Address account, BlockId at);
  net::Task<Result<Wei>> GetBalance(Address account, BlockId at);
  net::Task<Result<std::vector<LogEntry>>> GetLogs(LogFilter filter);
  net::Task<Result<Wei>> MaxPriorityFee();

  // A contract's view function: Read(ledger, ledger::BalanceOf(user)).
  template <class T>
  net::Task<Result<T>> Read(Address contract, Call<T> call, BlockId at = BlockId::Latest());

 private:
  net::Task<Result<RpcReply>> Exchange(std::string method, Json params);
  net::Task<Result<Json>> Request(std::string method, Json params);
  net::Task<Result<Uint128>> RequestQuantity(std::string method, Json params);
  net::Task<Result<uint64_t>> RequestQuantity64(std::string method, Json params);

  net::HttpClient http_;
  RpcOptions options_;
  uint64_t next_id_ = 1;
};

template <class T>
net::Task<Result<T>> Rpc::Read(Address contract, Call<T> call, BlockId at) {
  CallRequest request;
  request.to = contract;
  request.data = std::move(call.data);
  auto returned = co_await EthCall(std::move(request), std::move(at));
  TT_CO_CHECK(returned);
  auto value = call.decode(*returned);
  if (!value) co_return std::move(value).error().Context("eth_call answer");
  co_return *std::move(value);
}

}  // namespace teetee::chain
