#include "apps/teetee_node/facts.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "ops/isa.h"
#include "pipeline/verified_shard.h"
#include "protocol/model_params.h"

namespace teetee::node {
namespace {

Result<ops::Isa> ChooseIsa(const std::string& wanted) {
  ops::Isa isa = wanted.empty() ? ops::BestIsa() : TT_TRY(ops::ParseIsa(wanted));
  if (isa == ops::Isa::kScalar) LogWarn("node", "computing with scalar code: this CPU has no AVX2, or --isa says so");
  return isa;
}

Status CheckModelId(const ModelFacts& facts) {
  const auto& models = facts.trust.models();
  bool known = std::any_of(models.begin(), models.end(), [&](auto& m) { return m.second == facts.model; });
  if (!known) return Error(Code::kPermissionDenied, "check model.id: the parameters hash to model " + ToHex0x(facts.model) + ", which the trust file does not name");
  if (manifest::ManifestHash(facts.manifest_bytes) != facts.params.manifest) {
    return Error(Code::kPermissionDenied, "check model.manifest: the manifest is not the one that the model id names");
  }
  if (facts.manifest.slots.size() != facts.params.slots.size()) {
    return Error(Code::kPermissionDenied, "check model.slots: manifest and model id differ in their slots");
  }
  for (size_t i = 0; i < facts.manifest.slots.size(); ++i) {
    if (facts.manifest.slots[i].weights_root != facts.params.slots[i].weights) {
      return Error(Code::kPermissionDenied, "check model.weights: slot " + std::to_string(i) + " has another root on chain");
    }
  }
  return Ok{};
}

Status LoadShard(const Options& options, ModelFacts& facts) {
  auto file = TT_TRY(model::GgufFile::Open(options.shard));
  auto verified = TT_TRY(pipeline::LoadVerified(file, facts.manifest, TT_TRY(ChooseIsa(options.isa))));
  facts.slot = verified.slot;
  facts.weights_root = verified.weights_root;
  facts.shard = std::move(verified.shard);
  ops::ThreadPool pool(options.threads);
  TT_RETURN_IF_ERROR(pipeline::CheckKnownAnswers(*facts.shard, facts.manifest.slots[facts.slot], pool));
  if (facts.slot != 0) return Ok{};
  if (crypto::Sha256(model::CanonicalTokenizerBytes(file.metadata())) != facts.manifest.tokenizer_sha256) {
    return Error(Code::kDataLoss, "check shard.tokenizer: it is not the manifest's");
  }
  facts.tokenizer = TT_TRY(model::Tokenizer::From(file.metadata()));
  return Ok{};
}

}  // namespace

Result<ModelFacts> LoadFacts(const Options& options) {
  Bytes trust_bytes = TT_TRY(ReadFile(options.trust, 1u << 20));
  std::string trust_text(AsText(trust_bytes));
  attest::TrustFile trust = TT_TRY(attest::TrustFile::Parse(trust_text));
  Bytes params_bytes = TT_TRY(ReadFile(options.params, 1u << 20));
  chain::Model params = TT_TRY(protocol::ModelParamsFromJson(TT_TRY(Json::Parse(AsText(params_bytes)))));
  Bytes manifest_bytes = TT_TRY(ReadFile(options.manifest, manifest::Limits::kMaxBytes));
  auto manifest = TT_TRY(manifest::Manifest::Parse(manifest_bytes));
  Hash32 id = chain::ModelId(params);
  ModelFacts facts{std::move(trust), std::move(trust_text), std::move(params), id, std::move(manifest),
                   std::move(manifest_bytes), 0, nullptr, std::nullopt, {}};
  TT_RETURN_IF_ERROR(CheckModelId(facts));
  TT_RETURN_IF_ERROR(LoadShard(options, facts));
  return facts;
}

}  // namespace teetee::node
