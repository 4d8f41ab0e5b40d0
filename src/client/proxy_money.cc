// The proxy's own paths that move money: buy, withdraw, close. Loopback only, like all of the proxy.
#include "base/log.h"
#include "chain/contracts.h"
#include "client/proxy.h"
#include "client/proxy_errors.h"
#include "protocol/outbox.h"

namespace teetee::client {
namespace {

constexpr int kReleaseTries = 30;  // a second apart: what was used must be settled first

Json Text(const std::string& text) { return Json::MakeObject({{"text", text}}); }

}  // namespace

net::Task<Result<Json>> Proxy::Buy(const Json& body) {
  auto text = body.GetString("eth");
  TT_CO_CHECK(text);
  auto amount = chain::Wei::ParseEth(*text);
  TT_CO_CHECK(amount);
  chain::TxIntent intent;
  intent.to = trust_.ledger();
  intent.value = *amount;
  intent.data = chain::ledger::Buy(wallet_.address());
  intent.label = "buy credits";
  teetee::Status sent = co_await wallet_.Send(std::move(intent));
  TT_CO_CHECK(sent);
  co_return Text("bought credits for " + amount->Eth());
}

net::Task<Result<Json>> Proxy::Withdraw() {
  auto credits = co_await wallet_.Credits();
  TT_CO_CHECK(credits);
  if (credits->is_zero()) co_return Text("there are no credits to withdraw");
  chain::TxIntent intent;
  intent.to = trust_.ledger();
  intent.data = chain::ledger::Withdraw(*credits, wallet_.address());
  intent.label = "withdraw credits";
  teetee::Status sent = co_await wallet_.Send(std::move(intent));
  TT_CO_CHECK(sent);
  co_return Text("withdrew " + credits->Eth());
}

net::Task<Result<Json>> Proxy::Close(const Json& body) {
  auto named = body.GetString("model");
  if (!named && trust_.models().size() != 1) co_return Error(Code::kInvalidArgument, "'model': say which; the trust file names several");
  std::string model = named ? *named : trust_.models().begin()->first;
  Result<Json> released = Error(Code::kInternal, "not asked");
  for (int i = 0; i < kReleaseTries; ++i) {
    released = co_await asker_.AskRelease(model);
    if (released || released.error().code() != Code::kFailedPrecondition) break;
    co_await net::Sleep(net::Millis(1000));
  }
  TT_CO_CHECK(released);
  Json entry_json = *released;
  entry_json.Set("n", 0);
  auto entry = protocol::OutboxEntry::FromJson(entry_json);
  TT_CO_CHECK(entry);
  auto* release = std::get_if<protocol::ReleaseEntry>(&entry->what);
  if (!release) co_return Error(Code::kDataLoss, "the head answered with something else than a release");
  auto before = co_await wallet_.Tab(release->model, release->head);
  TT_CO_CHECK(before);
  chain::TxIntent intent;
  intent.to = trust_.ledger();
  intent.data = chain::ledger::ReleaseTab(wallet_.address(), release->model, release->head, release->epoch, release->used, release->signature);
  intent.label = "release the tab";
  teetee::Status sent = co_await wallet_.Send(std::move(intent));
  if (!sent) {  // the gateway's relay may have been faster
    auto after = co_await wallet_.Tab(release->model, release->head);
    if (!after || after->tab.epoch == release->epoch) co_return std::move(sent).error();
  }
  auto rest = before->tab.funded.Minus(before->tab.spent);
  co_return Text("closed the tab; " + (rest ? rest->Eth() : std::string("the rest")) + " came back as credits");
}

net::Task<void> Proxy::Money(net::HttpRequest& request, net::HttpReply& reply) {
  auto body = Json::Parse(request.text().empty() ? "{}" : request.text());
  Result<Json> done = Error(Code::kInvalidArgument, "the request body is not a JSON object");
  if (body && body->is_object()) {
    if (request.path == "/v1/teetee/buy") {
      done = co_await Buy(*body);
    } else if (request.path == "/v1/teetee/withdraw") {
      done = co_await Withdraw();
    } else {
      done = co_await Close(*body);
    }
  }
  net::HttpResponse response = done ? net::HttpResponse::OfJson(200, *done) : ErrorResponse(done.error());
  (void)co_await reply.Send(std::move(response));
}

}  // namespace teetee::client
