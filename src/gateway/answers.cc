#include "gateway/answers.h"

#include "protocol/model_params.h"
#include "protocol/receipt.h"

namespace teetee::gateway {
namespace {

constexpr char kRetryAfter[] = "2";  // seconds

Json ErrorObject(std::string_view message, std::string_view type, std::string_view param,
                 std::string_view code) {
  Json error = Json::MakeObject({{"message", message},
                                 {"type", type},
                                 {"param", param.empty() ? Json() : Json(param)},
                                 {"code", code}});
  return Json::MakeObject({{"error", std::move(error)}});
}

Json Hashes(const std::vector<Hash32>& hashes) {
  Json out = Json::MakeArray();
  for (const Hash32& hash : hashes) out.Push(ToHex0x(hash));
  return out;
}

}  // namespace

net::HttpResponse ErrorResponse(const Error& error, std::string_view param) {
  const int status = HttpStatus(error.code());
  auto out = net::HttpResponse::OfJson(
      status,
      ErrorObject(error.message(), OpenAiErrorType(error.code()), param, CodeName(error.code())));
  if (status == 429 || status == 503) out.headers.Set("Retry-After", kRetryAfter);
  return out;
}

net::HttpResponse ErrorResponse(int status, std::string_view message) {
  return net::HttpResponse::OfJson(
      status, ErrorObject(message, "invalid_request_error", "", "method_not_allowed"));
}

Json ModelItem(const Directory& directory, const ModelRecord& model) {
  Json teetee = Json::MakeObject({{"model", ToHex0x(model.id)},
                                  {"manifest", ToHex0x(model.params.manifest)},
                                  {"price_in", std::to_string(model.params.price_in)},
                                  {"price_out", std::to_string(model.params.price_out)},
                                  {"slots", uint64_t{model.params.slots.size()}},
                                  {"live", directory.IsLive(model)}});
  // OpenAI's clients want a time; the chain's events carry none.
  return Json::MakeObject({{"id", directory.PublicName(model)},
                           {"object", "model"},
                           {"created", 0},
                           {"owned_by", "teetee"},
                           {"teetee", std::move(teetee)}});
}

Json NodeItem(const Directory& directory, const NodeRecord& node) {
  return Json::MakeObject({{"key", ToHex0x(node.key)},
                           {"slot", uint32_t{node.slot}},
                           {"host", ToHex0x(node.host)},
                           {"url", node.url},
                           {"until", node.until},
                           {"live", directory.IsLive(node)},
                           {"quote", ToHex0x(node.quote)}});
}

Json ModelDetail(const Directory& directory, const ModelRecord& model) {
  const Manifest* manifest = directory.ManifestOf(model);
  return Json::MakeObject({{"id", ToHex0x(model.id)},
                           {"params", protocol::ModelParamsJson(model.params)},
                           {"manifest", manifest == nullptr ? Json() : Json(manifest->text)}});
}

Json NodeList(const Directory& directory, const ModelRecord& model, uint64_t block) {
  Json nodes = Json::MakeArray();
  for (const NodeRecord* node : directory.NodesOf(model.family)) {
    nodes.Push(NodeItem(directory, *node));
  }
  return Json::MakeObject({{"nodes", std::move(nodes)}, {"block", block}});
}

Json ReceiptAnswer(const ReceiptState& state) {
  const bool mined = state.tx.has_value();
  return Json::MakeObject({{"receipt", protocol::ReceiptJson(state.receipt)},
                           {"seq", state.strict ? Json() : Json(state.seq)},
                           {"root", state.strict ? Json() : Json(ToHex0x(state.root))},
                           {"proof", Hashes(state.proof)},
                           {"tx", mined ? Json(ToHex0x(*state.tx)) : Json()},
                           {"block", mined ? Json(state.block) : Json()},
                           {"status", mined ? "mined" : "pending"}});
}

Json LineAnswer(uint64_t last_seq, const std::vector<MinedBatch>& batches) {
  Json list = Json::MakeArray();
  for (const MinedBatch& b : batches) {
    list.Push(Json::MakeObject(
        {{"seq", b.seq}, {"root", ToHex0x(b.root)}, {"tx", ToHex0x(b.tx)}, {"block", b.block}}));
  }
  return Json::MakeObject({{"last_seq", last_seq}, {"batches", std::move(list)}});
}

}  // namespace teetee::gateway
