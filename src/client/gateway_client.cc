#include "client/gateway_client.h"

#include "manifest/manifest.h"
#include "protocol/fields.h"
#include "protocol/model_params.h"

namespace teetee::client {
namespace {

constexpr size_t kMaxNodes = 4096;
constexpr size_t kMaxAnswer = 4u << 20;

Code CodeOfStatus(int status) {
  switch (status) {
    case 400: return Code::kInvalidArgument;
    case 404: return Code::kNotFound;
    case 409: return Code::kFailedPrecondition;
    case 413: return Code::kInvalidArgument;
    case 429: return Code::kResourceExhausted;
    case 504: return Code::kDeadlineExceeded;
    default: return Code::kUnavailable;
  }
}

// OpenAI's error object, or the bare status.
Error Unauthenticated(int status, std::string_view body) {
  std::string text = "HTTP status " + std::to_string(status);
  if (auto json = Json::Parse(body, {.max_bytes = 1u << 16})) {
    const Json* error = json->Find("error");
    if (error) {
      if (auto message = error->GetString("message")) text = message->substr(0, 500);
    }
  }
  return Error(CodeOfStatus(status), "gateway (not authenticated): " + text);
}

Result<ListedNode> NodeFromJson(const Json& json) {
  ListedNode node;
  node.slot = static_cast<uint32_t>(TT_TRY(protocol::GetBounded(json, "slot", chain::kMaxSlots - 1)));
  node.key = TT_TRY(protocol::GetHex<20>(json, "key"));
  node.host = TT_TRY(protocol::GetHex<20>(json, "host"));
  node.url = TT_TRY(json.GetString("url"));
  node.live = TT_TRY(json.GetBool("live"));
  return node;
}

Result<std::vector<ListedNode>> NodesFromJson(const Json& json) {
  const Json* list = TT_TRY(json.GetArray("nodes"));
  if (list->as_array().size() > kMaxNodes) return Error(Code::kResourceExhausted, "gateway: more nodes than a client looks at");
  std::vector<ListedNode> out;
  for (const Json& item : list->as_array()) out.push_back(TT_TRY(NodeFromJson(item)));
  return out;
}

Result<NodeEvidence> EvidenceFromJson(const Json& json) {
  NodeEvidence out;
  out.channel = TT_TRY(json.GetString("channel"));
  out.kind = TT_TRY(json.GetString("kind"));
  out.evidence = TT_TRY(FromBase64(TT_TRY(json.GetString("evidence"))));
  out.collateral = *TT_TRY(json.GetObject("collateral"));
  return out;
}

Result<SettledReceipt> SettledFromJson(const Json& json) {
  SettledReceipt out;
  out.mined = TT_TRY(json.GetString("status")) == "mined";
  if (!out.mined) return out;
  out.seq = TT_TRY(json.GetUint64("seq"));
  out.root = TT_TRY(protocol::GetHex<32>(json, "root"));
  const Json* proof = TT_TRY(json.GetArray("proof"));
  if (proof->as_array().size() > 64) return Error(Code::kInvalidArgument, "proof: too long");
  for (const Json& hash : proof->as_array()) {
    if (!hash.is_string()) return Error(Code::kInvalidArgument, "proof: expected hashes");
    out.proof.push_back(TT_TRY(FromHexFixed<32>(hash.as_string())));
  }
  if (auto tx = json.GetString("tx")) out.tx = *tx;
  return out;
}

}  // namespace

GatewayClient::GatewayClient(const net::Executor& executor, std::string url) : http_(executor), url_(std::move(url)) {
  while (url_.ends_with('/')) url_.pop_back();
}

net::Task<Result<Json>> GatewayClient::Get(std::string path, size_t max_bytes) {
  net::HttpRequestOptions options;
  options.url = url_ + path;
  options.max_response_bytes = max_bytes;
  auto response = co_await http_.Fetch(std::move(options));
  if (!response) co_return std::move(response).error().Context("gateway");
  if (response->status != 200) co_return Unauthenticated(response->status, response->text());
  auto json = Json::Parse(response->text(), {.max_bytes = max_bytes});
  if (!json) co_return std::move(json).error().Context("gateway");
  co_return *std::move(json);
}

net::Task<Result<ListedModel>> GatewayClient::Model(Hash32 id) {
  auto json = co_await Get("/v1/teetee/models/" + ToHex0x(id), manifest::Limits::kMaxBytes * 2);
  TT_CO_CHECK(json);
  auto params_json = json->GetObject("params");
  TT_CO_CHECK(params_json);
  auto params = protocol::ModelParamsFromJson(**params_json);
  TT_CO_CHECK(params);
  auto text = json->GetString("manifest");
  TT_CO_CHECK(text);
  co_return ListedModel{*std::move(params), *std::move(text)};
}

net::Task<Result<std::vector<ListedNode>>> GatewayClient::Nodes(Hash32 model) {
  auto json = co_await Get("/v1/teetee/nodes?model=" + ToHex0x(model), kMaxAnswer);
  TT_CO_CHECK(json);
  co_return NodesFromJson(*json);
}

net::Task<Result<NodeEvidence>> GatewayClient::Evidence(crypto::Address key) {
  auto json = co_await Get("/v1/teetee/nodes/" + ToHex0x(key) + "/evidence", kMaxAnswer);
  TT_CO_CHECK(json);
  co_return EvidenceFromJson(*json);
}

net::Task<Result<SettledReceipt>> GatewayClient::Receipt(Hash32 receipt_hash) {
  auto json = co_await Get("/v1/teetee/receipts/" + ToHex0x(receipt_hash), kMaxAnswer);
  TT_CO_CHECK(json);
  co_return SettledFromJson(*json);
}

net::Task<Result<net::HttpStream>> GatewayClient::Sealed(Bytes wire) {
  net::HttpRequestOptions options;
  options.method = "POST";
  options.url = url_ + "/v1/teetee/sealed";
  options.headers.Set("Content-Type", "application/octet-stream");
  options.body = std::move(wire);
  options.idle_timeout = net::Millis(180'000);
  options.max_response_bytes = 64u << 20;
  auto stream = co_await http_.Open(std::move(options));
  if (!stream) co_return std::move(stream).error().Context("gateway");
  if (stream->status() == 200) co_return *std::move(stream);
  std::string body;
  while (body.size() < (1u << 16)) {
    auto piece = co_await stream->Next();
    if (!piece || !*piece) break;
    body += AsText(**piece);
  }
  co_return Unauthenticated(stream->status(), body);
}

net::Task<Status> GatewayClient::Control(crypto::Address head, protocol::Control control) {
  net::HttpRequestOptions options;
  options.method = "POST";
  options.url = url_ + "/v1/teetee/control?head=" + ToHex0x(head);
  options.headers.Set("Content-Type", "application/json");
  options.body = ToBytes(AsBytes(control.ToJson().Dump()));
  auto response = co_await http_.Fetch(std::move(options));
  TT_CO_CHECK(response);
  if (response->status != 200) co_return Unauthenticated(response->status, response->text());
  co_return Ok{};
}

}  // namespace teetee::client
