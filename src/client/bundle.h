// What the client stores of one answer: enough to verify it years later without anybody's help. One JSON file, mode 0600: it holds the prompt.
// Source: docs/formats/receipt.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attest/policy/trust_file.h"
#include "chain/rpc.h"
#include "client/checks.h"
#include "client/gateway_client.h"
#include "protocol/plan.h"
#include "protocol/receipt.h"

namespace teetee::client {

inline constexpr size_t kMaxBundle = 96u << 20;  // bytes

struct BundleEvidence {
  uint32_t slot = 0;
  crypto::Address key{};
  Bytes evidence;
  Json collateral;
};

struct Bundle {
  protocol::ReceiptDocument receipt;
  Secret<32> secret;
  std::string body;
  std::vector<std::string> outputs;
  protocol::Plan plan;
  Hash32 model{};
  chain::Model params;
  std::string manifest;
  std::vector<BundleEvidence> evidence;
  std::string trust;  // text of the trust file that was in force
  int64_t checked_at = 0;
  std::optional<chain::Query> query;  // strict mode
  std::optional<SettledReceipt> settlement;
  bool intact = true;  // the digest in the file is that of its other members

  Json ToJson() const;
  static Result<Bundle> FromJson(const Json& json);
  static Result<Bundle> Load(const std::string& path);
  Status Save(const std::string& path) const;
};

// Every check of the bundle alone. `trust`: the verifier's own, or nullptr for the one inside, which then is part of what is claimed and is said so.
CheckList VerifyBundle(const Bundle& bundle, const attest::TrustFile* trust);
// Its place on chain as well: the batch's root (tab, free) or the query's record (strict).
net::Task<Status> VerifyOnChain(const Bundle& bundle, chain::Rpc& rpc, CheckList& checks);

}  // namespace teetee::client
