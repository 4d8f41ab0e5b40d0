// teetee web: the pages from the user's own machine, with the user's own trust file. What they show as verified does not rest on a gateway.
#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <memory>

#include "apps/teetee/cli.h"
#include "apps/teetee/service_commands.h"
#include "attest/policy/trust_file.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/key_file.h"
#include "net/http_server.h"
#include "net/url.h"
#include "pages/site.h"

namespace teetee::cli {
namespace {

constexpr uint64_t kDevelopmentChain = 31337;
// The proxy pays as `user`, and a tab has one signer; so a newcomer to the pages has an account of their own.
constexpr std::string_view kWallets[] = {"visitor", "user", "host1", "host2"};

struct WebOptions {
  std::string listen = "127.0.0.1:8082", folder = "web/dist", gateway = "http://127.0.0.1:8080", rpc = "http://127.0.0.1:8545";
  std::string trust, demo_wallet, image;
  uint64_t from_block = 0;
  bool auditor = false;
};

bool IsLoopbackName(std::string_view host) { return host == "localhost" || host == "127.0.0.1" || host == "::1"; }

// A page of another name that resolves to this machine (DNS rebinding) is not to read keys or the trust file.
bool IsOwnHost(const net::HttpRequest& request) {
  auto named = net::ParseHostPort(request.headers.Find("Host").value_or(""));
  return named && request.headers.Count("Host") == 1 && IsLoopbackName(named->host);
}

Result<std::string> DemoWallet(const std::string& folder) {
  Json accounts = Json::MakeArray();
  for (std::string_view name : kWallets) {
    const std::string file = folder + "/" + std::string(name) + ".key";
    if (!FileExists(file)) continue;
    crypto::SigningKey key = TT_TRY(crypto::LoadSigningKey(file));
    std::string text(AsText(TT_TRY(ReadFile(file, 256))));
    while (text.ends_with('\n')) text.pop_back();
    accounts.Push(Json::MakeObject({{"name", name}, {"address", ToHex0x(key.address())}, {"private_key", text}}));
  }
  if (accounts.as_array().empty()) return Error(Code::kNotFound, "--demo-wallet: " + folder + " holds no visitor.key, user.key, host1.key or host2.key");
  return Json::MakeObject({{"accounts", std::move(accounts)}}).Dump();
}

Result<pages::SiteConfig> ConfigOf(const WebOptions& o) {
  Bytes trust_bytes = TT_TRY(ReadFile(o.trust, 1u << 20));
  attest::TrustFile trust = TT_TRY(attest::TrustFile::Parse(AsText(trust_bytes)));
  pages::SiteConfig out;
  out.served_by = "web";
  out.gateway = o.gateway;
  out.rpc = o.rpc;
  out.chain_id = trust.chain_id();
  out.registry = trust.registry();
  out.ledger = trust.ledger();
  out.from_block = o.from_block;
  out.trust = TT_TRY(Json::Parse(AsText(trust_bytes)));
  out.demo_wallet = !o.demo_wallet.empty();
  out.image = o.image;
  out.auditor = o.auditor;
  if (!o.image.empty()) TT_RETURN_IF_ERROR(pages::CheckImage(o.image));
  if (out.demo_wallet && out.chain_id != kDevelopmentChain) {
    return Error(Code::kPermissionDenied, "--demo-wallet: only for the development chain (31337), the trust file is of chain " + std::to_string(out.chain_id));
  }
  return out;
}

net::HttpResponse Refusal(int status, std::string_view text) {
  net::HttpResponse out = net::HttpResponse::Text(status, text);
  out.headers.Set("X-Content-Type-Options", "nosniff");
  return out;
}

net::HttpResponse Answer(const net::HttpRequest& request, const pages::Site& site, const std::string& wallet) {
  if (!IsOwnHost(request)) return Refusal(403, "this server answers to 127.0.0.1, ::1 and localhost only\n");
  if (request.method != "GET" && request.method != "HEAD") {
    net::HttpResponse out = Refusal(405, "this path takes no such method\n");
    out.headers.Set("Allow", "GET, HEAD");
    return out;
  }
  if (request.path == "/healthz") return net::HttpResponse::Text(200, R"({"status":"ok","program":"teetee web"})", "application/json");
  if (request.path == "/demo-wallet.json" && !wallet.empty()) {
    net::HttpResponse out = net::HttpResponse::Text(200, wallet, "application/json");
    out.headers = pages::PageHeaders("application/json");
    out.headers.Set("Cache-Control", "no-store").Set("Cross-Origin-Resource-Policy", "same-origin");
    return out;
  }
  if (auto page = site.Get(request)) return *std::move(page);
  return Refusal(404, "no such page\n");
}

Status RunWeb(const WebOptions& o) {
  auto listen = net::ParseHostPort(o.listen);
  if (!listen || !IsLoopbackName(listen->host)) {
    return Error(Code::kPermissionDenied, "web serves this machine only: --listen 127.0.0.1:PORT; for others there is `teetee-gateway --web`");
  }
  ProtectProcess();
  std::signal(SIGPIPE, SIG_IGN);
  const pages::SiteConfig config = TT_TRY(ConfigOf(o));
  const pages::Site site = TT_TRY(pages::Site::Load(o.folder, config));
  const std::string wallet = o.demo_wallet.empty() ? "" : TT_TRY(DemoWallet(o.demo_wallet));
  net::IoContext io(1);
  auto handler = [&](net::HttpRequest& request, net::HttpReply& reply) -> net::Task<void> {
    auto response = Answer(request, site, wallet);
    (void)co_await reply.Send(std::move(response));
  };
  auto server = TT_TRY(net::HttpServer::Listen(io, o.listen, handler));
  LogInfo("web", "pages at http://" + o.listen + ", gateway " + o.gateway);
  if (!wallet.empty()) LogWarn("web", "the demo wallet's keys are given to the pages: development only");
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](auto, int) { io.stop(); });
  io.run();
  return Ok{};
}

}  // namespace

void AddWebCommand(CLI::App& app) {
  auto o = std::make_shared<WebOptions>();
  CLI::App& c = *app.add_subcommand("web", "the pages on loopback, judged by your own trust file");
  c.add_option("--listen", o->listen, "loopback address to serve")->capture_default_str();
  c.add_option("--dir", o->folder, "folder of the built pages")->capture_default_str();
  c.add_option("--gateway", o->gateway, "gateway to relay through; it is not trusted")->capture_default_str();
  c.add_option("--rpc", o->rpc, "JSON-RPC of the chain, as the browser reaches it")->capture_default_str();
  c.add_option("--trust", o->trust, "trust file: whom to believe")->required()->check(CLI::ExistingFile);
  c.add_option("--from-block", o->from_block, "block in which the contracts were deployed")->capture_default_str();
  c.add_option("--demo-wallet", o->demo_wallet, "folder of demo keys to give to the pages as a wallet (chain 31337 only)")->check(CLI::ExistingDirectory);
  c.add_option("--node-image", o->image, "image of a node that the pages name, name@sha256:DIGEST");
  c.add_flag("--auditor", o->auditor, "the gateway relays join requests to an auditor");
  SetAction(c, [o] { return RunWeb(*o); });
}

}  // namespace teetee::cli
