// Checks a receipt document against what the client knows itself: its own request, the answer that it got, the plan that it made, the nodes
// that it verified. Pure. Source: docs/formats/receipt.md.
#pragma once

#include <string>
#include <vector>

#include "attest/format/claims.h"
#include "attest/policy/trust_file.h"
#include "client/checks.h"
#include "protocol/plan.h"
#include "protocol/receipt.h"

namespace teetee::client {

struct ReceiptContext {
  const attest::TrustFile* trust = nullptr;
  Hash32 model{};
  const chain::Model* params = nullptr;
  protocol::Plan plan;
  protocol::RequestId request{};
  Secret<32> secret;
  std::string body;
  std::vector<std::string> outputs;      // answer texts by choice
  std::vector<attest::Claims> claims;    // of the plan's nodes, as the client verified them, by slot
  std::string mode;                      // "tab", "strict", "free"
  Hash32 strict_query{};                 // its id
};

// Every check runs; the list says which failed.
CheckList CheckReceipt(const protocol::ReceiptDocument& document, const ReceiptContext& context);

}  // namespace teetee::client
