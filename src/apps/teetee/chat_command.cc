// teetee chat: a conversation in the terminal, through a running proxy. Ctrl-C stops the answer, and its billing; at the prompt it leaves.
#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <memory>

#include "apps/teetee/cli.h"
#include "apps/teetee/net_task.h"
#include "apps/teetee/service_commands.h"
#include "chain/wei.h"
#include "net/http_client.h"
#include "net/sse.h"

namespace teetee::cli {
namespace {

struct ChatOptions {
  std::string proxy = "http://127.0.0.1:8081", model, system;
  uint32_t max_tokens = 512;
  double temperature = 0.7;
};

struct Answer {
  std::string text, cost;
  bool stopped = false;
};

// The comment line with which the proxy ends a stream: ": teetee receipt ID cost WEI wei".
void NoteCost(std::string_view bytes, Answer& answer) {
  size_t at = bytes.find(": teetee receipt ");
  if (at == std::string_view::npos) return;
  std::string line(bytes.substr(at + 17, bytes.find('\n', at) - at - 17));
  size_t cost = line.find(" cost ");
  if (cost == std::string::npos) return;
  std::string amount = line.substr(cost + 6, line.find(' ', cost + 6) - cost - 6);
  auto wei = chain::Wei::ParseDecimal(amount);
  answer.cost = "receipt " + line.substr(0, cost) + ", verified; cost " + (wei ? wei->Eth() : amount + " wei");
}

net::Task<Result<Answer>> Ask(net::IoContext& io, const ChatOptions& o, const Json& messages) {
  net::HttpClient http(io.get_executor());
  net::HttpRequestOptions options;
  options.method = "POST";
  options.url = o.proxy + "/v1/chat/completions";
  options.headers.Set("Content-Type", "application/json");
  options.timeout = net::Millis(180'000);
  options.idle_timeout = net::Millis(180'000);
  options.body = ToBytes(AsBytes(Json::MakeObject({{"model", o.model}, {"messages", messages}, {"stream", true}, {"max_tokens", o.max_tokens}, {"temperature", o.temperature}}).Dump()));
  auto stream = co_await http.Open(std::move(options));
  if (!stream) co_return std::move(stream).error().Context("proxy");
  bool interrupted = false;
  boost::asio::signal_set signals(io, SIGINT);
  signals.async_wait([&](auto error, int) { interrupted = !error; });
  Answer answer;
  net::SseParser parser;
  while (!interrupted) {
    auto bytes = co_await stream->Next();
    TT_CO_CHECK(bytes);
    if (!*bytes) break;
    if (stream->status() != 200) co_return Error(Code::kFailedPrecondition, std::string(AsText(**bytes)).substr(0, 600));
    NoteCost(AsText(**bytes), answer);
    auto events = parser.Feed(**bytes);
    TT_CO_CHECK(events);
    for (const auto& event : *events) {
      if (event.data == "[DONE]") continue;
      auto json = Json::Parse(event.data);
      TT_CO_CHECK(json);
      if (const Json* error = json->Find("error")) co_return Error(Code::kUnavailable, error->Dump());
      const Json* choices = json->Find("choices");
      if (!choices || choices->as_array().empty()) continue;
      const Json* delta = choices->as_array()[0].Find("delta");
      auto text = delta ? delta->GetString("content") : Result<std::string>(std::string());
      if (!text) continue;
      std::cout << *text << std::flush;
      answer.text += *text;
    }
  }
  answer.stopped = interrupted;
  co_return answer;
}

Result<std::string> OnlyModel(const ChatOptions& o) {
  Json models = TT_TRY(RunTask<Json>([&](net::IoContext& io) {
    return [](net::IoContext& loop, std::string url) -> net::Task<Result<Json>> {
      net::HttpClient http(loop.get_executor());
      net::HttpRequestOptions options;
      options.url = url + "/v1/models";
      auto response = co_await http.Fetch(std::move(options));
      if (!response) co_return std::move(response).error().Context("proxy (is it running? --proxy URL)");
      co_return Json::Parse(response->text());
    }(io, o.proxy);
  }));
  const Json* list = TT_TRY(models.GetArray("data"));
  if (list->as_array().empty()) return Error(Code::kNotFound, "the proxy knows no model");
  return list->as_array()[0].GetString("id");
}

Status Chat(ChatOptions o) {
  if (o.model.empty()) o.model = TT_TRY(OnlyModel(o));
  std::fprintf(stderr, "%s over %s. Ctrl-C stops an answer; an empty line or Ctrl-D leaves.\n", o.model.c_str(), o.proxy.c_str());
  Json messages = Json::MakeArray();
  if (!o.system.empty()) messages.Push(Json::MakeObject({{"role", "system"}, {"content", o.system}}));
  for (std::string line; std::fputs("> ", stderr), std::getline(std::cin, line) && !line.empty();) {
    messages.Push(Json::MakeObject({{"role", "user"}, {"content", line}}));
    auto answer = RunTask<Answer>([&](net::IoContext& io) { return Ask(io, o, messages); });
    std::cout << std::endl;
    if (!answer) {
      PrintError(answer.error(), "the question was not charged");
      messages.as_array().pop_back();
      continue;
    }
    if (answer->stopped) std::fprintf(stderr, "(stopped)\n");
    if (!answer->cost.empty()) std::fprintf(stderr, "(%s)\n", answer->cost.c_str());
    messages.Push(Json::MakeObject({{"role", "assistant"}, {"content", answer->text}}));
  }
  return Ok{};
}

}  // namespace

void AddChatCommand(CLI::App& app) {
  auto o = std::make_shared<ChatOptions>();
  CLI::App& c = *app.add_subcommand("chat", "a conversation in the terminal, through a running proxy");
  c.add_option("--proxy", o->proxy, "the running proxy")->capture_default_str();
  c.add_option("--model", o->model, "name of the model (default: the first that the proxy lists)");
  c.add_option("--system", o->system, "system message");
  c.add_option("--max-tokens", o->max_tokens, "of one answer")->capture_default_str();
  c.add_option("--temp", o->temperature, "temperature; 0 is greedy")->capture_default_str();
  SetAction(c, [o] { return Chat(*o); });
}

}  // namespace teetee::cli
