// teetee attest serve: an auditor of an allow-list verifier as a service. It signs a join only after it has verified the node's quote
// itself; the gateway that relays to it is not believed for anything.
#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <ctime>
#include <map>
#include <memory>

#include "apps/teetee/cli.h"
#include "apps/teetee/join_request.h"
#include "apps/teetee/service_commands.h"
#include "base/file.h"
#include "base/log.h"
#include "chain/contracts.h"
#include "crypto/key_file.h"
#include "net/http_server.h"
#include "protocol/model_params.h"

namespace teetee::cli {
namespace {

struct ServeOptions {
  std::string listen = "127.0.0.1:8083", trust, key_file;
  std::vector<std::string> params;
};

struct Auditor {
  attest::TrustFile trust;
  std::map<Hash32, chain::Model> models;
  crypto::SigningKey key;
};

Result<Auditor> LoadAuditor(const ServeOptions& o) {
  Auditor out{TT_TRY(attest::TrustFile::Load(o.trust)), {}, TT_TRY(crypto::LoadSigningKey(o.key_file))};
  for (const std::string& file : o.params) {
    Bytes bytes = TT_TRY(ReadFile(file, 1u << 20));
    chain::Model model = TT_TRY(protocol::ModelParamsFromJson(TT_TRY(Json::Parse(AsText(bytes)))));
    out.models.emplace(chain::ModelId(model), std::move(model));
  }
  return out;
}

// "check ID: words" -> "ID"; what has no check was malformed.
std::string CheckOf(const Error& error) {
  constexpr std::string_view kCheck = "check ";
  const std::string& text = error.message();
  const size_t at = text.find(kCheck);
  const size_t end = at == std::string::npos ? at : text.find(':', at);
  return end == std::string::npos ? "join.request" : text.substr(at + kCheck.size(), end - at - kCheck.size());
}

Json SignatureWords(const chain::CompactSignature& s) {
  return Json::MakeArray().Push(ToHex0x(s.r)).Push(ToHex0x(s.vs));
}

Result<Json> Approve(const Auditor& auditor, std::string_view text) {
  const JoinRequest request = TT_TRY(ParseJoinRequest(TT_TRY(Json::Parse(text)), auditor.trust));
  auto model = auditor.models.find(request.model);
  if (model == auditor.models.end()) return Error(Code::kPermissionDenied, "check model.id: this auditor was not told of the model");
  const SignedApproval approved = TT_TRY(ApproveJoin(request, model->second, auditor.trust, auditor.key, static_cast<int64_t>(std::time(nullptr))));
  const chain::Approval& approval = approved.approval;
  return Json::MakeObject({{"reportData", ToHex0x(approval.report_data)},
                           {"expires", approval.expires},
                           {"sigs", Json::MakeArray().Push(SignatureWords(approved.signature))},
                           {"quote", ToHex0x(chain::AllowlistQuote(approval.report_data, approval.expires, {approved.signature}))},
                           {"auditor", ToHex0x(auditor.key.address())},
                           {"block_number", request.block_number}});
}

net::HttpResponse Refusal(const Error& error) {
  Json body = Json::MakeObject({{"message", error.message()}, {"type", OpenAiErrorType(error.code())}, {"param", CheckOf(error)}, {"code", CodeName(error.code())}});
  return net::HttpResponse::OfJson(HttpStatus(error.code()), Json::MakeObject({{"error", std::move(body)}}));
}

net::HttpResponse Answer(const Auditor& auditor, const net::HttpRequest& request) {
  if (request.path == "/healthz") {
    return net::HttpResponse::OfJson(200, Json::MakeObject({{"status", "ok"}, {"program", "teetee attest serve"}, {"auditor", ToHex0x(auditor.key.address())}}));
  }
  if (request.method != "POST" || request.path != "/v1/teetee/approve") return Refusal(Error(Code::kNotFound, "no such path: POST /v1/teetee/approve"));
  auto approved = Approve(auditor, request.text());
  if (approved) return net::HttpResponse::OfJson(200, *approved);
  LogInfo("auditor", "refused: " + approved.error().message());
  return Refusal(approved.error());
}

Status Serve(const ServeOptions& o) {
  ProtectProcess();
  std::signal(SIGPIPE, SIG_IGN);
  const Auditor auditor = TT_TRY(LoadAuditor(o));
  net::IoContext io(1);
  auto handler = [&](net::HttpRequest& request, net::HttpReply& reply) -> net::Task<void> {
    auto response = Answer(auditor, request);
    (void)co_await reply.Send(std::move(response));
  };
  auto server = TT_TRY(net::HttpServer::Listen(io, o.listen, handler, {.max_requests_per_address = 16}));
  LogInfo("auditor", "signs joins as " + crypto::AddressText(auditor.key.address()) + " at http://" + o.listen);
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](auto, int) { io.stop(); });
  io.run();
  return Ok{};
}

}  // namespace

void AddAttestServeCommand(CLI::App& app) {
  auto o = std::make_shared<ServeOptions>();
  CLI::App& c = *app.get_subcommand("attest")->add_subcommand("serve", "as an auditor of an allow-list verifier: verifies join requests over HTTP and signs");
  c.add_option("--listen", o->listen, "address to serve")->capture_default_str();
  c.add_option("--trust", o->trust, "trust file: what may join")->required()->check(CLI::ExistingFile);
  c.add_option("--model-params", o->params, "JSON with a model's parameters; once for each model")->required()->check(CLI::ExistingFile);
  c.add_option("--auditor-key-file", o->key_file, "the auditor's key (0600)")->required()->check(CLI::ExistingFile);
  SetAction(c, [o] { return Serve(*o); });
}

}  // namespace teetee::cli
