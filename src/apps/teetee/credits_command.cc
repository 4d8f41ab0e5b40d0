// balance and credits: asked of a running proxy, which owns the account's nonce and the tabs' counts.
#include <CLI/CLI.hpp>
#include <memory>

#include "apps/teetee/cli.h"
#include "apps/teetee/net_task.h"
#include "apps/teetee/service_commands.h"
#include "chain/wei.h"
#include "net/http_client.h"

namespace teetee::cli {
namespace {

struct CreditsOptions {
  std::string proxy = "http://127.0.0.1:8081", model, eth;
  bool json = false;
};

net::Task<Result<Json>> Call(net::IoContext& io, std::string method, std::string url, Json body) {
  net::HttpClient http(io.get_executor());
  net::HttpRequestOptions options;
  options.method = std::move(method);
  options.url = std::move(url);
  options.timeout = net::Millis(120'000);
  if (!body.is_null()) {
    options.headers.Set("Content-Type", "application/json");
    options.body = ToBytes(AsBytes(body.Dump()));
  }
  auto response = co_await http.Fetch(std::move(options));
  if (!response) co_return std::move(response).error().Context("proxy (is it running? --proxy URL)");
  auto json = Json::Parse(response->text());
  TT_CO_CHECK(json);
  if (response->status == 200) co_return *std::move(json);
  const Json* error = json->Find("error");
  auto text = error ? error->GetString("message") : Result<std::string>(std::string("refused"));
  co_return Error(Code::kFailedPrecondition, text ? *text : "refused");
}

Result<Json> Ask(const std::string& method, const std::string& url, Json body) {
  return RunTask<Json>([&](net::IoContext& io) { return Call(io, method, url, std::move(body)); });
}

std::string Eth(const Json& object, std::string_view key) {
  auto text = object.GetString(key);
  auto amount = text ? chain::Wei::ParseDecimal(*text) : Result<chain::Wei>(chain::Wei());
  return amount ? amount->Eth() : "?";
}

Status Balance(const CreditsOptions& o) {
  Json status = TT_TRY(Ask("GET", o.proxy + "/v1/teetee/status", Json()));
  if (o.json) {
    PrintJson(status);
    return Ok{};
  }
  std::printf("account  %s\n", TT_TRY(status.GetString("account")).c_str());
  if (TT_TRY(status.GetString("class")) == "simulated") std::printf("         demo money on a development chain\n");
  std::printf("ether    %s\ncredits  %s\n", Eth(status, "ether").c_str(), Eth(status, "credits").c_str());
  for (const Json& route : TT_TRY(status.GetArray("routes"))->as_array()) {
    std::printf("%s: %s\n", TT_TRY(route.GetString("model")).c_str(), TT_TRY(route.GetBool("verified")) ? "route verified" : "no verified route");
    const Json* tab = route.Find("tab");
    if (tab) std::printf("  tab    funded %s, used %s, settled %s\n", Eth(*tab, "funded").c_str(), Eth(*tab, "used").c_str(), Eth(*tab, "spent").c_str());
    if (auto error = route.GetString("error")) std::printf("  %s\n", error->c_str());
  }
  return Ok{};
}

Status Change(const CreditsOptions& o, const std::string& what, Json body) {
  Json answer = TT_TRY(Ask("POST", o.proxy + "/v1/teetee/" + what, std::move(body)));
  if (o.json) {
    PrintJson(answer);
  } else {
    std::printf("%s\n", TT_TRY(answer.GetString("text")).c_str());
  }
  return Ok{};
}

CLI::App& Sub(CLI::App& parent, const std::string& name, const std::string& help, CreditsOptions& o) {
  CLI::App& c = *parent.add_subcommand(name, help);
  c.add_option("--proxy", o.proxy, "the running proxy")->capture_default_str();
  AddJsonFlag(c, &o.json);
  return c;
}

}  // namespace

void AddCreditsCommands(CLI::App& app) {
  auto o = std::make_shared<CreditsOptions>();
  CLI::App& balance = Sub(app, "balance", "ether, credits, tabs and routes of the running proxy", *o);
  SetAction(balance, [o] { return Balance(*o); });
  CLI::App& credits = *app.add_subcommand("credits", "buy, withdraw, or close a tab and get the rest back");
  credits.require_subcommand(1);
  CLI::App& buy = Sub(credits, "buy", "turns ether into credits", *o);
  buy.add_option("eth", o->eth, "amount in ether, such as 0.01")->required();
  SetAction(buy, [o] { return Change(*o, "buy", Json::MakeObject({{"eth", o->eth}})); });
  CLI::App& withdraw = Sub(credits, "withdraw", "turns all credits back into ether", *o);
  SetAction(withdraw, [o] { return Change(*o, "withdraw", Json::MakeObject()); });
  CLI::App& close = Sub(credits, "close", "closes the tab of a model: the head releases it, the rest becomes credits", *o);
  close.add_option("--model", o->model, "name of the model (default: the only one)");
  SetAction(close, [o] { return Change(*o, "close", o->model.empty() ? Json::MakeObject() : Json::MakeObject({{"model", o->model}})); });
}

}  // namespace teetee::cli
