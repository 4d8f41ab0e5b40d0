// What a host does with its own key: ask its node for evidence, join a slot, collect and withdraw what it earned; and what an auditor of an
// allow-list verifier does in between (attest approve).
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "apps/teetee/cli.h"
#include "apps/teetee/host_up.h"
#include "apps/teetee/join_request.h"
#include "apps/teetee/net_task.h"
#include "apps/teetee/service_commands.h"
#include "base/file.h"
#include "chain/contracts.h"
#include "chain/eip712.h"
#include "chain/sender.h"
#include "client/gateway_client.h"
#include "crypto/key_file.h"
#include "protocol/fields.h"
#include "protocol/model_params.h"

namespace teetee::cli {
namespace {

constexpr net::Millis kTxLimit{60'000};

struct HostOptions {
  std::string node, host, rpc = "http://127.0.0.1:8545", gateway = "http://127.0.0.1:8080", out, request, approval, url, key_file, trust, params;
  bool json = false;
};

int64_t UnixNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Result<Json> LoadJson(const std::string& path) {
  Bytes bytes = TT_TRY(ReadFile(path, 4u << 20));
  auto json = Json::Parse(AsText(bytes), {.max_bytes = 4u << 20});
  if (!json) return std::move(json).error().Context(path);
  return json;
}

Status WriteJson(const std::string& path, const Json& json) { return WriteFileAtomic(path, AsBytes(json.DumpPretty())); }

// ---------------------------------------------------------------- host request

net::Task<Result<Json>> AskNode(net::IoContext& io, const HostOptions& o) {
  chain::Rpc rpc(io.get_executor(), {o.rpc});
  auto number = co_await rpc.BlockNumber();
  TT_CO_CHECK(number);
  // A contract sees the hashes of blocks before its own: a call that is tried at the newest block does not see that one's.
  if (*number > 0) *number -= 1;
  net::HttpClient http(io.get_executor());
  net::HttpRequestOptions options;
  options.method = "POST";
  options.url = o.node + "/v1/teetee/join-evidence";
  options.headers.Set("Content-Type", "application/json");
  options.body = ToBytes(AsBytes(Json::MakeObject({{"host", o.host}, {"block_number", *number}}).Dump()));
  auto response = co_await http.Fetch(std::move(options));
  if (!response) co_return std::move(response).error().Context("node");
  auto json = Json::Parse(response->text(), {.max_bytes = 4u << 20});
  TT_CO_CHECK(json);
  if (response->status != 200) co_return Error(Code::kFailedPrecondition, "the node refused: " + json->Dump().substr(0, 300));
  co_return *std::move(json);
}

Status Request(const HostOptions& o) {
  Json evidence = TT_TRY(RunTask<Json>([&](net::IoContext& io) { return AskNode(io, o); }));
  TT_RETURN_IF_ERROR(WriteJson(o.out, evidence));
  PrintNote("wrote " + o.out + ": give it to an auditor (teetee attest approve)");
  return Ok{};
}

// ---------------------------------------------------------------- attest approve

Status Approve(const HostOptions& o) {
  attest::TrustFile trust = TT_TRY(attest::TrustFile::Load(o.trust));
  chain::Model params = TT_TRY(protocol::ModelParamsFromJson(TT_TRY(LoadJson(o.params))));
  JoinRequest request = TT_TRY(ParseJoinRequest(TT_TRY(LoadJson(o.request)), trust));
  crypto::SigningKey auditor = TT_TRY(crypto::LoadSigningKey(o.key_file));
  const SignedApproval approved = TT_TRY(ApproveJoin(request, params, trust, auditor, UnixNow()));
  return WriteJson(o.out, Json::MakeObject({{"report_data", ToHex0x(approved.approval.report_data)},
                                            {"expires", approved.approval.expires},
                                            {"auditor", ToHex0x(auditor.address())},
                                            {"signature", protocol::SignatureText(approved.signature)}}));
}

// ---------------------------------------------------------------- host join, withdraw

net::Task<Result<std::string>> SendOne(chain::Sender& sender, chain::TxIntent intent) {
  auto outcome = co_await sender.SubmitAndWait(std::move(intent), kTxLimit);
  TT_CO_CHECK(outcome);
  if (outcome->state != chain::TxState::kMined) co_return Error(Code::kFailedPrecondition, outcome->why);
  co_return ToHex0x(outcome->receipt->tx_hash);
}

Result<std::unique_ptr<chain::Sender>> HostSender(chain::Rpc& rpc, const HostOptions& o, const attest::TrustFile& trust) {
  chain::SenderOptions options;
  options.chain_id = trust.chain_id();
  options.journal_path = o.key_file + ".transactions.jsonl";
  options.poll = net::Millis(200);
  return chain::Sender::Open(&rpc, TT_TRY(crypto::LoadSigningKey(o.key_file)), options);
}

net::Task<Result<Json>> JoinTask(net::IoContext& io, const HostOptions& o) {
  auto trust = attest::TrustFile::Load(o.trust);
  TT_CO_CHECK(trust);
  auto request_json = LoadJson(o.request);
  TT_CO_CHECK(request_json);
  auto request = ParseJoinRequest(*request_json, *trust);
  TT_CO_CHECK(request);
  auto approval = LoadJson(o.approval);
  TT_CO_CHECK(approval);
  auto expires = approval->GetUint64("expires");
  TT_CO_CHECK(expires);
  auto signature = protocol::GetSignature(*approval, "signature");
  TT_CO_CHECK(signature);
  chain::Rpc rpc(io.get_executor(), {o.rpc});
  auto sender = HostSender(rpc, o, *trust);
  TT_CO_CHECK(sender);
  if ((*sender)->address() != request->claim.host) co_return Error(Code::kPermissionDenied, "the key file is not that of the host in the request");
  Bytes quote = chain::AllowlistQuote(request->report_data, *expires, {*signature});
  chain::TxIntent intent;
  intent.to = trust->registry();
  intent.data = chain::registry::Join(request->model, static_cast<uint8_t>(request->slot), request->claim.key, o.url, quote, request->block_number);
  intent.label = "join slot " + std::to_string(request->slot);
  net::TaskGroup group(io.get_executor());
  group.Spawn((*sender)->Run(), "sender");
  auto tx = co_await SendOne(**sender, std::move(intent));
  group.Cancel();
  co_await group.Join();
  TT_CO_CHECK(tx);
  co_return Json::MakeObject({{"joined", true}, {"slot", request->slot}, {"key", ToHex0x(request->claim.key)}, {"tx", *tx}});
}

net::Task<Status> CollectAll(net::IoContext& io, const HostOptions& o, const attest::TrustFile& trust, chain::Rpc& rpc, chain::Sender& sender) {
  client::GatewayClient gateway(io.get_executor(), o.gateway);
  for (const auto& [name, model] : trust.models()) {
    auto nodes = co_await gateway.Nodes(model);
    TT_CO_CHECK(nodes);
    for (const auto& head : *nodes) {
      if (head.slot != 0) continue;
      Hash32 line = chain::LineOf(model, head.key);
      for (const auto& mine : *nodes) {
        if (mine.host != sender.address()) continue;
        auto account = co_await rpc.Read(trust.ledger(), chain::ledger::AccountOf(line, mine.key));
        TT_CO_CHECK(account);
        if (account->owed.is_zero()) continue;
        chain::TxIntent collect;
        collect.to = trust.ledger();
        collect.data = chain::ledger::Collect(line, mine.key);
        collect.label = "collect";
        auto sent = co_await SendOne(sender, std::move(collect));
        TT_CO_CHECK(sent);
      }
    }
  }
  co_return Ok{};
}

net::Task<Result<Json>> WithdrawSteps(net::IoContext& io, const HostOptions& o, const attest::TrustFile& trust, chain::Rpc& rpc, chain::Sender& sender) {
  Status collected = co_await CollectAll(io, o, trust, rpc, sender);
  TT_CO_CHECK(collected);
  auto balance = co_await rpc.Read(trust.ledger(), chain::ledger::BalanceOf(sender.address()));
  TT_CO_CHECK(balance);
  Json out = Json::MakeObject({{"host", ToHex0x(sender.address())}, {"withdrawn", balance->Decimal()}, {"tx", Json()}});
  if (balance->is_zero()) co_return out;
  chain::TxIntent withdraw;
  withdraw.to = trust.ledger();
  withdraw.data = chain::ledger::Withdraw(*balance, sender.address());
  withdraw.label = "withdraw";
  auto sent = co_await SendOne(sender, std::move(withdraw));
  TT_CO_CHECK(sent);
  co_return out.Set("tx", *sent);
}

net::Task<Result<Json>> WithdrawTask(net::IoContext& io, const HostOptions& o) {
  auto trust = attest::TrustFile::Load(o.trust);
  TT_CO_CHECK(trust);
  chain::Rpc rpc(io.get_executor(), {o.rpc});
  auto sender = HostSender(rpc, o, *trust);
  TT_CO_CHECK(sender);
  net::TaskGroup group(io.get_executor());
  group.Spawn((*sender)->Run(), "sender");
  auto done = co_await WithdrawSteps(io, o, *trust, rpc, **sender);
  group.Cancel();
  co_await group.Join();
  co_return done;
}

Status RunJson(const HostOptions& o, net::Task<Result<Json>> (*task)(net::IoContext&, const HostOptions&)) {
  Json done = TT_TRY(RunTask<Json>([&](net::IoContext& io) { return task(io, o); }));
  if (o.json) {
    PrintJson(done);
  } else {
    std::printf("%s", done.DumpPretty().c_str());
  }
  return Ok{};
}

}  // namespace

void AddHostCommands(CLI::App& app) {
  auto o = std::make_shared<HostOptions>();
  CLI::App& host = *app.add_subcommand("host", "join a slot with your node, collect and withdraw what it earned");
  host.require_subcommand(1);
  CLI::App& request = *host.add_subcommand("request", "asks your node for evidence to join with");
  request.add_option("--node", o->node, "URL of the node")->required();
  request.add_option("--host", o->host, "your address, as the node was started with")->required();
  request.add_option("--rpc", o->rpc, "JSON-RPC of the chain")->capture_default_str();
  request.add_option("--out", o->out, "file to write")->required();
  SetAction(request, [o] { return Request(*o); });
  CLI::App& join = *host.add_subcommand("join", "sends your join transaction");
  join.add_option("--request", o->request, "file of host request")->required()->check(CLI::ExistingFile);
  join.add_option("--approval", o->approval, "file of attest approve")->required()->check(CLI::ExistingFile);
  join.add_option("--url", o->url, "where others reach the node")->required();
  join.add_option("--key-file", o->key_file, "your key (0600)")->required()->check(CLI::ExistingFile);
  join.add_option("--trust", o->trust, "trust file")->required()->check(CLI::ExistingFile);
  join.add_option("--rpc", o->rpc, "JSON-RPC of the chain")->capture_default_str();
  AddJsonFlag(join, &o->json);
  SetAction(join, [o] { return RunJson(*o, JoinTask); });
  CLI::App& withdraw = *host.add_subcommand("withdraw", "collects what your nodes earned and withdraws it");
  withdraw.add_option("--key-file", o->key_file, "your key (0600)")->required()->check(CLI::ExistingFile);
  withdraw.add_option("--trust", o->trust, "trust file")->required()->check(CLI::ExistingFile);
  withdraw.add_option("--rpc", o->rpc, "JSON-RPC of the chain")->capture_default_str();
  withdraw.add_option("--gateway", o->gateway, "gateway that lists the nodes")->capture_default_str();
  AddJsonFlag(withdraw, &o->json);
  SetAction(withdraw, [o] { return RunJson(*o, WithdrawTask); });
  AddHostUpCommand(host);
}

void AddApproveCommand(CLI::App& app) {
  auto o = std::make_shared<HostOptions>();
  CLI::App& c = *app.get_subcommand("attest")->add_subcommand("approve", "as an auditor of an allow-list verifier: verifies a join request and signs");
  c.add_option("--request", o->request, "file of host request")->required()->check(CLI::ExistingFile);
  c.add_option("--trust", o->trust, "trust file")->required()->check(CLI::ExistingFile);
  c.add_option("--model-params", o->params, "JSON with the model's parameters")->required()->check(CLI::ExistingFile);
  c.add_option("--auditor-key-file", o->key_file, "the auditor's key (0600)")->required()->check(CLI::ExistingFile);
  c.add_option("--out", o->out, "file to write")->required();
  SetAction(c, [o] { return Approve(*o); });
}

}  // namespace teetee::cli
