// What a gateway adds to each chunk of many streamed answers at once. One process, three threads: a head that streams chunks of the size
// of sealed ones with the time inside, a real gateway over a stored directory, and clients. The same load goes straight to the head and
// then through the gateway; both are measured from the head's write to the client's read. Prints a table, or JSON with --json.
//   bench_gateway [--streams 200] [--chunks 200] [--every-ms 50] [--json]
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/testing/fixtures.h"
#include "net/http_client.h"

using namespace teetee;
using gateway::Address;
using net::Task;

namespace {

constexpr size_t kChunk = 272;  // bytes: one padded event with its tag
const Address kHead{0xa1};
const gateway::StoreIdentity kIdentity{31337, Address{1}, Address{2}};

struct Load {
  size_t streams = 200, chunks = 200;
  int every_ms = 50;
  bool json = false;
};

uint64_t NowNs() { return static_cast<uint64_t>(net::SteadyClock::now().time_since_epoch().count()); }

// ---- the head

Task<void> StreamChunks(net::HttpReply& reply, Load load) {
  net::HttpHeaders headers;
  headers.Set("Content-Type", "application/octet-stream");
  Status status = co_await reply.Begin(200, std::move(headers));
  const Bytes preamble(36, 1);
  if (status) status = co_await reply.Write(preamble);
  auto due = net::SteadyClock::now();
  for (size_t i = 0; status && i < load.chunks; ++i) {
    due += net::Millis(load.every_ms);
    const auto wait = std::chrono::duration_cast<net::Millis>(due - net::SteadyClock::now());
    if (wait.count() > 0) co_await net::Sleep(wait);
    ByteWriter chunk;
    chunk.U32Le(kChunk).U64Le(NowNs()).Zeros(kChunk - 8);
    const Bytes bytes = chunk.Take();
    status = co_await reply.Write(bytes);
  }
  if (status) (void)co_await reply.End();
}

Task<void> AnswerAsHead(net::HttpRequest& request, net::HttpReply& reply, Load load) {
  if (request.method == "POST") {
    co_await StreamChunks(reply, load);
    co_return;
  }
  Json health = Json::MakeObject();
  health.Set("status", "ok").Set("key", ToHex0x(kHead)).Set("class", "simulated");
  auto response = net::HttpResponse::OfJson(200, health);
  (void)co_await reply.Send(std::move(response));
}

// A server with a loop and a thread of its own.
struct Threaded {
  net::IoContext io{1};
  std::thread thread;
  void Start() {
    thread = std::thread([this] {
      auto work = net::asio::make_work_guard(io);
      io.run();
    });
  }
  ~Threaded() {
    io.stop();
    if (thread.joinable()) thread.join();
  }
};

// ---- the gateway

void Seed(const std::string& folder, const chain::Model& model, const std::string& head_url) {
  auto store = *gateway::Store::Open(folder + "/gateway.db", kIdentity);
  gateway::ChainChange change;
  change.registry_logs = {gateway::testing::ModelAddedLog(model, 1), gateway::testing::NodeJoinedLog(model, 0, kHead, head_url, gateway::ClockNow() + 3600, 2)};
  if (!store->Apply(change)) std::abort();
  const std::string cursor = R"({"v":1,"points":[{"number":2,"hash":")" + ToHex0x(Hash32{2}) + "\"}]}";
  if (!WriteFileAtomic(folder + "/cursor.json", AsBytes(cursor))) std::abort();
}

std::unique_ptr<gateway::Gateway> OpenGateway(net::IoContext& io, const std::string& folder) {
  gateway::GatewaySettings settings;
  settings.listen = "127.0.0.1:0";
  settings.rpc_url = "http://127.0.0.1:1";  // no chain: what it told before is in the store
  settings.identity = kIdentity;
  settings.state = folder;
  settings.http.max_requests_per_address = 4096;  // all clients share one address here
  auto opened = gateway::Gateway::Open(io, crypto::SigningKey::Generate(), settings);
  if (!opened) {
    std::fprintf(stderr, "bench_gateway: %s\n", opened.error().message().c_str());
    std::exit(1);
  }
  return *std::move(opened);
}

// ---- the clients

struct Results {
  std::vector<double> ms;  // of each chunk
  size_t whole = 0;        // answers read to their end
};

class Reader {
 public:
  explicit Reader(Results& to) : to_(to) {}
  void Feed(ByteView bytes) {
    const uint64_t now = NowNs();
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    size_t at = skipped_ ? 0 : 36;
    if (buffer_.size() < at) return;
    skipped_ = true;
    for (; buffer_.size() - at >= 4 + kChunk; at += 4 + kChunk) {
      const uint64_t sent = *ByteReader(ByteView(buffer_).subspan(at + 4, 8)).U64Le();
      to_.ms.push_back(static_cast<double>(now - sent) / 1e6);
    }
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(at));
  }

 private:
  Results& to_;
  Bytes buffer_;
  bool skipped_ = false;
};

Task<void> OneChat(net::HttpClient& http, std::string url, Bytes wire, int delay_ms, Results& to) {
  co_await net::Sleep(net::Millis(delay_ms));
  net::HttpRequestOptions options;
  options.method = "POST";
  options.url = std::move(url);
  options.body = std::move(wire);
  auto stream = co_await http.Open(std::move(options));
  if (!stream || stream->status() != 200) co_return;
  Reader reader(to);
  for (;;) {
    auto part = co_await stream->Next();
    if (!part) co_return;
    if (!*part) break;
    reader.Feed(**part);
  }
  ++to.whole;
}

Results RunLoad(const std::string& base, const Bytes& wire, const Load& load) {
  net::IoContext io(1);
  net::HttpClient http(io.get_executor(), load.streams);
  Results out;
  for (size_t i = 0; i < load.streams; ++i) {  // spread over one interval, as people are
    const int delay = static_cast<int>(i * static_cast<size_t>(load.every_ms) / load.streams);
    net::Spawn(io.get_executor(), OneChat(http, base + "/v1/teetee/sealed", wire, delay, out), "chat");
  }
  io.run();
  std::sort(out.ms.begin(), out.ms.end());
  return out;
}

double At(const Results& results, double quantile) {
  return results.ms.empty() ? 0 : results.ms[std::min(results.ms.size() - 1, static_cast<size_t>(quantile * static_cast<double>(results.ms.size())))];
}

bool WaitForHead(const std::string& base) {
  for (int i = 0; i < 200; ++i) {
    net::IoContext io(1);
    bool live = false;
    auto ask = [](std::string url, bool& found) -> Task<void> {
      net::HttpClient http(co_await net::CurrentExecutor());
      net::HttpRequestOptions options;
      options.url = std::move(url);
      auto answer = co_await http.Fetch(std::move(options));
      found = answer && answer->text().find("teetee_gateway_nodes_live 1") != std::string_view::npos;
    };
    net::Spawn(io.get_executor(), ask(base + "/metrics", live), "wait");
    io.run();
    if (live) return true;
    std::this_thread::sleep_for(net::Millis(50));
  }
  return false;
}

Json Summary(const Results& r) {
  Json out = Json::MakeObject();
  return out.Set("answers", uint64_t{r.whole}).Set("chunks", uint64_t{r.ms.size()}).Set("p50_ms", At(r, 0.5)).Set("p99_ms", At(r, 0.99)).Set("max_ms", At(r, 1));
}

void Print(const Load& load, const Results& direct, const Results& through) {
  const double added50 = At(through, 0.5) - At(direct, 0.5), added99 = At(through, 0.99) - At(direct, 0.99);
  if (load.json) {
    Json out = Json::MakeObject();
    out.Set("streams", uint64_t{load.streams}).Set("chunks_each", uint64_t{load.chunks}).Set("every_ms", load.every_ms);
    out.Set("direct", Summary(direct)).Set("through", Summary(through)).Set("added_p50_ms", added50).Set("added_p99_ms", added99);
    std::printf("%s\n", out.Dump().c_str());
    return;
  }
  std::printf("%zu streams, %zu chunks each, one every %d ms\n%-12s %8s %8s %9s %9s %9s\n", load.streams, load.chunks, load.every_ms, "", "answers", "chunks", "p50 ms", "p99 ms", "max ms");
  for (const auto& [name, r] : {std::pair("direct", &direct), std::pair("through", &through)})
    std::printf("%-12s %8zu %8zu %9.2f %9.2f %9.2f\n", name, r->whole, r->ms.size(), At(*r, 0.5), At(*r, 0.99), At(*r, 1));
  std::printf("added by the gateway per chunk: p50 %.2f ms, p99 %.2f ms\n", added50, added99);
}

Load ParseLoad(int argc, char** argv) {
  Load load;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const int value = i + 1 < argc ? std::atoi(argv[i + 1]) : 0;
    if (arg == "--streams") load.streams = static_cast<size_t>(std::clamp(value, 1, 2000));
    if (arg == "--chunks") load.chunks = static_cast<size_t>(std::clamp(value, 1, 100'000));
    if (arg == "--every-ms") load.every_ms = std::clamp(value, 1, 10'000);
    if (arg == "--json") load.json = true;
  }
  return load;
}

}  // namespace

int main(int argc, char** argv) {
  const Load load = ParseLoad(argc, argv);
  SetLogLevel(LogLevel::kError);
  std::string folder = (std::filesystem::temp_directory_path() / "teetee-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  const chain::Model model = gateway::testing::MakeModel("{}", 1, Address{9});
  Threaded head, front;
  auto handler = [load](net::HttpRequest& request, net::HttpReply& reply) { return AnswerAsHead(request, reply, load); };
  auto server = net::HttpServer::Listen(head.io, "127.0.0.1:0", handler, {.max_requests_per_address = 4096});
  if (!server) return 1;
  const std::string head_url = "http://127.0.0.1:" + std::to_string((*server)->port());
  head.Start();
  Seed(folder, model, head_url);
  auto gateway = OpenGateway(front.io, folder);
  const std::string gateway_url = "http://127.0.0.1:" + std::to_string(gateway->port());
  net::asio::post(front.io, [&] { gateway->Start(); });
  front.Start();
  const bool live = WaitForHead(gateway_url);
  const Bytes wire = gateway::testing::SealedWire(kHead, chain::ModelId(model), 4096);
  Results direct, through;
  if (live) {
    direct = RunLoad(head_url, wire, load);
    through = RunLoad(gateway_url, wire, load);
    Print(load, direct, through);
  }
  std::filesystem::remove_all(folder);
  std::fflush(stdout);
  // Threads, servers and loops end with the process: what is measured is done.
  std::_Exit(live && direct.whole == load.streams && through.whole == load.streams ? 0 : 1);
}
