// How a request is paid for. Source: docs/formats/sealed-request.md section 1, docs/formats/typed-data.md.
#pragma once

#include <variant>

#include "base/json.h"
#include "chain/types.h"
#include "protocol/sealed.h"

namespace teetee::protocol {

struct TabPayment {
  crypto::Address user{};
  uint32_t epoch = 0;
  chain::Wei total;  // the voucher's
  chain::CompactSignature signature;
};
struct StrictPayment {
  chain::Query query;
};
struct FreePayment {
  crypto::Address host{};
  crypto::Address session{};
  uint64_t expires = 0;                // unix seconds
  chain::CompactSignature access;      // the host's, of chain::Access
  chain::CompactSignature signature;   // the session key's, of FreeRequestDigest
};
using Payment = std::variant<TabPayment, StrictPayment, FreePayment>;

Json PaymentJson(const Payment& payment);
Result<Payment> PaymentFromJson(const Json& json);

Json QueryJson(const chain::Query& query);
Result<chain::Query> QueryFromJson(const Json& json);

// keccak256(session address): Access.session.
Hash32 SessionHash(const crypto::Address& session);
// keccak256("teetee free v1" || request id).
Hash32 FreeRequestDigest(const RequestId& request);

}  // namespace teetee::protocol
