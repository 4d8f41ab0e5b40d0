// One question, from the plaintext of an OpenAI client to a verified receipt: route, payment, sealing, streaming, checking, storing.
// Used by the proxy. Threads: one io_context.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client/bundle.h"
#include "client/route.h"
#include "client/wallet.h"
#include "protocol/sealed.h"

namespace teetee::client {

enum class PayMode { kTab, kStrict };

struct AskerSettings {
  std::string bundles;          // folder of receipt bundles
  PayMode pay = PayMode::kTab;
  int64_t route_seconds = 60;   // a verified route serves so long before it is verified again
  uint32_t default_max_tokens = 512;
  uint64_t most_tokens = 200'000;  // of one request: more is refused before any money moves
};

// What the caller is given while an answer streams. An error ends it: the head is told to stop, and to bill no further.
using ChunkFn = std::function<net::Task<Status>(const Json& chunk)>;

struct Answered {
  int status = 200;
  Json body;                     // whole answer, or OpenAI's {"error":...} when status is not 200
  bool cancelled = false;
  chain::Wei cost;
  uint32_t tokens_in = 0, tokens_out = 0;
  std::string bundle;            // its id: file NAME.json in the folder; empty without a receipt
};

class Asker {
 public:
  Asker(const net::Executor& executor, GatewayClient& gateway, const attest::TrustFile& trust, std::string trust_text, chain::Rpc& rpc,
        Wallet& wallet, AskerSettings settings);

  // path: "/v1/chat/completions" or "/v1/completions"; body: the client's bytes, already known to be a JSON object with a model.
  // Errors are refusals of our own (verification, chain, money); the head's own errors come as an Answered with its status.
  net::Task<Result<Answered>> Ask(std::string path, std::string body, ChunkFn on_chunk);

  // A verified route, from the cache when it is young enough.
  net::Task<Result<std::shared_ptr<const Route>>> RouteTo(std::string model, bool again);
  // The head's signed release of a tab, for Ledger.release.
  net::Task<Result<Json>> AskRelease(std::string model);
  // Finds the bundles of earlier runs that have no proof yet. Blocks; for start-up.
  void FindUnsettled();
  // Fetches proofs for bundles that have none yet; returns how many are still waiting.
  net::Task<size_t> FetchProofs();

 private:
  struct Call;
  net::Task<Result<Answered>> Try(Call& call);
  net::Task<Status> Pay(Call& call);
  net::Task<Status> Exchange(Call& call);
  net::Task<Status> OnEvent(Call& call, const Json& event);
  net::Task<void> Cancel(Call& call);
  Status Finish(Call& call);
  Bundle MakeBundle(const Call& call, const protocol::ReceiptDocument& document) const;

  net::Executor executor_;
  GatewayClient& gateway_;
  const attest::TrustFile& trust_;
  std::string trust_text_;
  chain::Rpc& rpc_;
  Wallet& wallet_;
  AskerSettings settings_;
  RouteFinder finder_;
  std::map<std::string, std::shared_ptr<const Route>> routes_;
  std::map<std::string, Hash32> unsettled_;  // bundle id -> receipt hash
};

}  // namespace teetee::client
