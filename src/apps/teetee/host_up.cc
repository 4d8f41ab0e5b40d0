// teetee host up: a node on this machine for a slot of the running `./dev up`, with a key and a state of its own. It joins nothing: its
// URL is for the pool page, which checks it like any other node's.
#include "apps/teetee/host_up.h"

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <filesystem>
#include <memory>

#include "apps/teetee/child_process.h"
#include "apps/teetee/cli.h"
#include "apps/teetee/net_task.h"
#include "base/file.h"
#include "crypto/key_file.h"
#include "crypto/random.h"
#include "net/http_client.h"
#include "net/socket.h"

namespace teetee::cli {
namespace {

constexpr int kStartSeconds = 180;

struct UpOptions {
  std::string home = ".teetee", host, account = "host2", compose, state, program;
  int slot = -1;  // the one with the fewest nodes
  uint16_t port = 0;
  bool json = false;
  std::vector<std::string> extra;  // for teetee-node
};

// What tools/up/up.mjs wrote.
struct UpFile {
  std::string gateway, rpc, trust, model, manifest, params, pki;
  std::vector<std::string> shards;
  Json keys;
};

Result<UpFile> ReadUp(const std::string& home) {
  auto bytes = ReadFile(home + "/up.json", 1u << 20);
  if (!bytes) return Error(Code::kFailedPrecondition, "nothing runs in " + home + ": start it with ./dev up, or name its folder with --home");
  const Json up = TT_TRY(Json::Parse(AsText(*bytes)));
  UpFile out;
  out.gateway = TT_TRY(up.GetString("gateway"));
  out.rpc = TT_TRY(up.GetString("rpc"));
  out.trust = TT_TRY(up.GetString("trust"));
  out.model = TT_TRY(TT_TRY(up.GetObject("model"))->GetString("id"));
  out.keys = *TT_TRY(up.GetObject("keys"));
  auto files = up.GetObject("files");
  if (!files) return Error(Code::kFailedPrecondition, home + "/up.json is of an older version: ./dev down, then ./dev up");
  out.manifest = TT_TRY((*files)->GetString("manifest"));
  out.params = TT_TRY((*files)->GetString("params"));
  out.pki = TT_TRY((*files)->GetString("pki"));
  for (const Json& shard : TT_TRY((*files)->GetArray("shards"))->as_array()) {
    if (!shard.is_string()) return Error(Code::kDataLoss, home + "/up.json: a shard is no path");
    out.shards.push_back(shard.as_string());
  }
  return out;
}

Result<crypto::Address> HostOf(const UpOptions& o, const UpFile& up) {
  if (!o.host.empty()) return crypto::ParseAddress(o.host);
  auto file = up.keys.GetString(o.account);
  if (!file) return Error(Code::kNotFound, "--account: there is no demo account '" + o.account + "'");
  return TT_TRY(crypto::LoadSigningKey(*file)).address();
}

net::Task<Result<Json>> GetJson(net::Executor executor, std::string url) {
  net::HttpClient http(executor);
  net::HttpRequestOptions options;
  options.url = std::move(url);
  options.timeout = net::Millis(3000);
  auto response = co_await http.Fetch(std::move(options));
  TT_CO_CHECK(response);
  if (response->status != 200) co_return Error(Code::kUnavailable, "status " + std::to_string(response->status));
  co_return Json::Parse(response->text(), {.max_bytes = 4u << 20});
}

// The slot that needs a node most; the last of several.
Result<size_t> ChooseSlot(const UpOptions& o, const UpFile& up) {
  if (o.slot >= 0 && static_cast<size_t>(o.slot) < up.shards.size()) return static_cast<size_t>(o.slot);
  if (o.slot >= 0) return Error(Code::kInvalidArgument, "--slot: the model has slots 0 to " + std::to_string(up.shards.size() - 1));
  const std::string url = up.gateway + "/v1/models/" + up.model;
  const Json model = TT_TRY(RunTask<Json>([url](net::IoContext& io) { return GetJson(io.get_executor(), url); }));
  size_t best = 0;
  uint64_t fewest = UINT64_MAX;
  for (const Json& slot : TT_TRY(TT_TRY(model.GetObject("teetee"))->GetArray("slot_list"))->as_array()) {
    const uint64_t joined = TT_TRY(slot.GetUint64("joined")), number = TT_TRY(slot.GetUint64("slot"));
    if (joined > fewest || number >= up.shards.size()) continue;
    fewest = joined;
    best = number;
  }
  return best;
}

Result<uint16_t> FreePort(uint16_t wanted) {
  net::IoContext io(1);
  auto listener = TT_TRY(net::TcpListener::Listen(io, "127.0.0.1:" + std::to_string(wanted)));
  return listener->port();
}

struct Planned {
  size_t slot = 0;
  crypto::Address host{};
  std::string state, url, log;
  std::vector<std::string> argv;
};

std::string NodeProgram(const UpOptions& o) {
  if (!o.program.empty()) return o.program;
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string() + "/teetee-node";
}

Result<Planned> Plan(const UpOptions& o, const UpFile& up) {
  Planned out;
  out.slot = TT_TRY(ChooseSlot(o, up));
  out.host = TT_TRY(HostOf(o, up));
  out.state = !o.state.empty() ? o.state : o.home + "/hosts/slot" + std::to_string(out.slot) + "-" + ToHex(crypto::RandomArray<4>());
  TT_RETURN_IF_ERROR(MakeDirectories(out.state));
  out.log = out.state + "/node.log";
  const std::string listen = "127.0.0.1:" + std::to_string(TT_TRY(FreePort(o.port)));
  const std::string channel = "127.0.0.1:" + std::to_string(TT_TRY(FreePort(0)));
  out.url = "http://" + listen;
  out.argv = {NodeProgram(o), "--shard", up.shards[out.slot], "--manifest", up.manifest, "--model-params", up.params, "--trust", up.trust,
              "--state", out.state, "--dev-pki", up.pki, "--host", ToHex0x(out.host), "--rpc", up.rpc, "--listen", listen, "--channel", channel,
              "--threads", "1"};
  if (!o.compose.empty()) out.argv.insert(out.argv.end(), {"--compose", o.compose});
  out.argv.insert(out.argv.end(), o.extra.begin(), o.extra.end());
  return out;
}

std::string LogTail(const std::string& log) {
  auto bytes = ReadFile(log, 16u << 20);
  std::string text(bytes ? AsText(*bytes) : "");
  return text.size() <= 1000 ? text : text.substr(text.size() - 1000);
}

net::Task<Result<Json>> WaitForNode(net::Executor executor, ChildProcess& child, const Planned& planned) {
  for (int i = 0; i < kStartSeconds * 10; ++i) {
    auto health = co_await GetJson(executor, planned.url + "/healthz");
    if (health) co_return *std::move(health);
    if (!child.IsRunning()) co_return Error(Code::kFailedPrecondition, "the node stopped; its log ends:\n" + LogTail(planned.log));
    co_await net::Sleep(net::Millis(100));
  }
  co_return Error(Code::kDeadlineExceeded, "the node does not answer; its log: " + planned.log);
}

net::Task<Result<Json>> UntilStopped(net::Executor executor, ChildProcess& child) {
  boost::asio::signal_set signals(executor, SIGINT, SIGTERM);
  bool stop = false;
  signals.async_wait([&stop](auto error, int) { stop = !error; });
  while (!stop && child.IsRunning()) co_await net::Sleep(net::Millis(100));
  if (!stop) co_return Error(Code::kUnavailable, "the node has stopped by itself");
  signals.cancel();
  co_return Json();
}

void Report(const UpOptions& o, const Planned& planned, const Json& health) {
  const std::string key = health.GetString("key").has_value() ? *health.GetString("key") : "";
  if (o.json) {
    PrintJson(Json::MakeObject({{"url", planned.url}, {"slot", uint64_t{planned.slot}}, {"key", key}, {"host", ToHex0x(planned.host)}, {"state", planned.state}, {"log", planned.log}}));
  } else {
    std::printf("node for slot %zu, SIMULATED evidence, host %s\nkey   %s\nlog   %s\nPaste this URL into the pool page:\n\n  %s\n\nIt serves until Ctrl-C.\n", planned.slot,
                crypto::AddressText(planned.host).c_str(), key.c_str(), planned.log.c_str(), planned.url.c_str());
  }
  std::fflush(stdout);
}

Status RunUp(const UpOptions& o) {
  const UpFile up = TT_TRY(ReadUp(o.home));
  const Planned planned = TT_TRY(Plan(o, up));
  ChildProcess child = TT_TRY(ChildProcess::Start(planned.argv, planned.log));
  const Json health = TT_TRY(RunTask<Json>([&](net::IoContext& io) { return WaitForNode(io.get_executor(), child, planned); }));
  Report(o, planned, health);
  auto ended = RunTask<Json>([&](net::IoContext& io) { return UntilStopped(io.get_executor(), child); });
  child.Stop();
  return ended ? Status(Ok{}) : Status(std::move(ended).error());
}

}  // namespace

void AddHostUpCommand(CLI::App& host) {
  auto o = std::make_shared<UpOptions>();
  CLI::App& c = *host.add_subcommand("up", "a node on this machine for a slot of the running ./dev up (simulated)");
  c.add_option("--home", o->home, "folder of the running ./dev up")->capture_default_str();
  c.add_option("--slot", o->slot, "slot to serve (default: the one with the fewest nodes)")->check(CLI::NonNegativeNumber);
  c.add_option("--host", o->host, "address that is paid (default: that of --account)");
  c.add_option("--account", o->account, "demo account that is paid: user, host1 or host2")->capture_default_str();
  c.add_option("--port", o->port, "port of the node's HTTP interface (default: a free one)");
  c.add_option("--compose", o->compose, "app-compose.json whose hash the quotes show")->check(CLI::ExistingFile);
  c.add_option("--state", o->state, "folder of the node's key and proofs (default: a new one, so a new key)");
  c.add_option("--program", o->program, "another teetee-node than the one beside this program")->check(CLI::ExistingFile);
  c.add_option("options", o->extra, "after --: options for teetee-node");
  AddJsonFlag(c, &o->json);
  SetAction(c, [o] { return RunUp(*o); });
}

}  // namespace teetee::cli
