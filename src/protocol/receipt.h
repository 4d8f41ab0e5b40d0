// The receipt document and its commitments. Source: docs/formats/receipt.md. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/secret.h"
#include "chain/eip712.h"
#include "protocol/plan.h"
#include "protocol/sealed.h"

namespace teetee::protocol {

// K(label) of the format: the key of one commitment, from the client's secret.
Secret<32> CommitmentKey(const Secret<32>& secret, std::string_view label);
Secret<32> ActivationKey(const Secret<32>& secret, uint32_t slot);
Hash32 CommitInput(const Secret<32>& secret, std::string_view body);
Hash32 CommitOutput(const Secret<32>& secret, const std::vector<std::string>& texts);

struct TranscriptStage {
  uint32_t slot = 0;
  crypto::Address key{}, host{};
  Hash32 weights{};
  ByteArray<16> boot{};
  Hash32 activations{};
};

struct Transcript {
  uint64_t chain_id = 0;
  crypto::Address ledger{}, registry{};
  Hash32 model{}, manifest{};
  RequestId request{};
  Hash32 plan{};
  std::string mode;  // "tab", "strict", "free"
  uint64_t block_number = 0;
  Hash32 block_hash{};
  uint64_t block_time = 0;  // unix seconds
  std::string finish;       // "stop", "length", "cancel"
  std::vector<TranscriptStage> stages;

  Json ToJson() const;
  static Result<Transcript> FromJson(const Json& json);
  Hash32 Hash() const;  // SHA-256 of the canonical JSON
};

struct ReceiptDocument {
  chain::Receipt receipt;
  chain::CompactSignature signature;  // the head's
  Transcript transcript;
  std::vector<chain::Work> work;  // tab mode
  std::vector<chain::Part> parts;  // strict mode

  Json ToJson() const;
  static Result<ReceiptDocument> FromJson(const Json& json);  // strict: no unknown members
};

Json ReceiptJson(const chain::Receipt& receipt);
Result<chain::Receipt> ReceiptFromJson(const Json& json);
Json WorkJson(const chain::Work& work);
Result<chain::Work> WorkFromJson(const Json& json);
Json PartJson(const chain::Part& part);
Result<chain::Part> PartFromJson(const Json& json);
Json ChargeJson(const chain::Charge& charge);
Result<chain::Charge> ChargeFromJson(const Json& json);

}  // namespace teetee::protocol
