// Server and client over loopback sockets.
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/socket.h"
#include "net/sse.h"
#include "net/testing/run.h"

namespace teetee::net {
namespace {

using testing::RunTask;

// What the test handler saw.
struct Seen {
  int requests = 0;
  int gone = 0;  // peers whose leaving a handler noticed
  int write_failed = 0;
};

Task<void> TestHandler(HttpRequest& request, HttpReply& reply, Seen& seen) {
  ++seen.requests;
  if (request.path == "/echo") {
    HttpResponse response = HttpResponse::Text(200, request.text());
    (void)co_await reply.Send(std::move(response));
  } else if (request.path == "/slow") {
    co_await Sleep(Millis(300));
    HttpResponse response = HttpResponse::Text(200, "slow");
    (void)co_await reply.Send(std::move(response));
  } else if (request.path == "/hang") {
    co_await Sleep(Millis(600'000));
  } else if (request.path == "/stream") {
    (void)co_await reply.BeginSse();
    for (int i = 0; i < 20; ++i) {
      co_await Sleep(Millis(5));
      auto sent = co_await reply.Sse(std::to_string(i));
      if (!sent) co_return;
    }
    (void)co_await reply.End();
  } else if (request.path == "/cut") {
    (void)co_await reply.Begin(200, {});
    (void)co_await reply.Write(AsBytes("half"));
  } else if (request.path == "/forever") {
    (void)co_await reply.BeginSse();
    for (;;) {
      auto sent = co_await reply.Sse("tick");
      if (!sent) break;
      co_await Sleep(Millis(5));
    }
    ++seen.write_failed;
  } else if (request.path == "/wait") {
    co_await reply.WaitPeerGone();
    ++seen.gone;
  } else if (request.path == "/flood") {
    (void)co_await reply.Begin(200, {});
    Bytes block(1u << 20);
    for (;;) {
      auto sent = co_await reply.Write(block);
      if (!sent) break;
    }
    ++seen.write_failed;
  } else if (request.path == "/throw") {
    throw std::runtime_error("secret");
  } else if (request.path == "/split") {
    HttpResponse response = HttpResponse::Text(200, "x");
    response.headers.Set("X", "a\r\nY: b");
    (void)co_await reply.Send(std::move(response));
  }
}

class Http : public ::testing::Test {
 protected:
  void Start(HttpLimits limits = {}, CorsHook cors = nullptr) {
    auto handler = [this](HttpRequest& request, HttpReply& reply) {
      return TestHandler(request, reply, seen_);
    };
    auto server = HttpServer::Listen(io_, "127.0.0.1:0", handler, limits, std::move(cors));
    ASSERT_TRUE(server) << server.error().message();
    server_ = *std::move(server);
    client_ = std::make_unique<HttpClient>(io_.get_executor());
  }

  std::string Address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

  HttpRequestOptions Request(std::string method, std::string path, std::string body = "") const {
    HttpRequestOptions out;
    out.method = std::move(method);
    out.url = "http://" + Address() + path;
    out.body = ToBytes(AsBytes(body));
    out.timeout = Millis(20'000);
    return out;
  }

  // Sends raw bytes and returns everything until the server closes (or 5 s).
  Task<std::string> Raw(std::string text, bool end = false) {
    std::string out;
    auto stream = co_await TcpStream::Connect(Address(), Millis(5000));
    if (!stream) co_return out;
    (void)co_await (*stream)->WriteAll(AsBytes(text), Millis(5000));
    if (end) (*stream)->ShutdownSend();
    ByteArray<4096> buffer;
    for (;;) {
      auto count = co_await (*stream)->ReadSome(buffer, Millis(5000));
      if (!count || *count == 0) break;
      out.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
    co_return out;
  }

  IoContext io_{1};
  Seen seen_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(Http, NamesTheAddressThatIsInUse) {
  Start();
  auto handler = [](HttpRequest&, HttpReply&) -> Task<void> { co_return; };
  auto second = HttpServer::Listen(io_, Address(), handler);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_NE(second.error().message().find(Address()), std::string::npos);
  EXPECT_FALSE(HttpServer::Listen(io_, "nonsense", handler));
  EXPECT_FALSE(HttpServer::Listen(io_, "some.host.name:80", handler));
}

TEST_F(Http, RefusesALargeBodyBeforeReadingIt) {
  HttpLimits limits;
  limits.max_body = 1000;
  Start(limits);
  auto body = [&]() -> Task<void> {
    auto answer = co_await client_->Fetch(Request("POST", "/echo", std::string(1001, 'x')));
    CO_ASSERT_OK(answer);
    EXPECT_EQ(answer->status, 413);
    EXPECT_NE(answer->text().find("\"type\":\"invalid_request_error\""), std::string::npos);
    std::string large(3u << 20,
                      'y');  // more than the socket's buffers: the answer must still arrive
    answer = co_await client_->Fetch(Request("POST", "/echo", large));
    CO_ASSERT_OK(answer);
    EXPECT_EQ(answer->status, 413);
    answer = co_await client_->Fetch(Request("POST", "/echo", std::string(1000, 'x')));
    CO_ASSERT_OK(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(seen_.requests, 1);
  };
  RunTask(io_, body());
}

TEST_F(Http, AnswersBadBytesWith400And431) {
  Start();
  auto body = [&]() -> Task<void> {
    std::string answer = co_await Raw("\x16\x03\x01 not http\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    answer = co_await Raw("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'a'));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ")) << answer;
    EXPECT_EQ(seen_.requests, 0);
  };
  RunTask(io_, body());
}

TEST_F(Http, ClosesSlowAndIdleClients) {
  HttpLimits limits;
  limits.read_timeout = Millis(100);
  limits.idle_timeout = Millis(100);
  Start(limits);
  auto body = [&]() -> Task<void> {
    auto start = SteadyClock::now();
    std::string answer = co_await Raw("GET / HTTP/1.1\r\nHost:");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
    answer = co_await Raw("");
    EXPECT_EQ(answer, "");
    EXPECT_LT(SteadyClock::now() - start, std::chrono::seconds(4));
  };
  RunTask(io_, body());
}

TEST_F(Http, DropsAPeerThatDoesNotRead) {
  HttpLimits limits;
  limits.write_timeout = Millis(200);
  Start(limits);
  auto body = [&]() -> Task<void> {
    auto stream = co_await TcpStream::Connect(Address(), Millis(5000));
    CO_ASSERT_OK(stream);
    std::string text = "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n";
    (void)co_await (*stream)->WriteAll(AsBytes(text), Millis(5000));
    for (int i = 0; i < 500 && seen_.write_failed == 0; ++i) co_await Sleep(Millis(10));
    EXPECT_EQ(seen_.write_failed, 1);
  };
  RunTask(io_, body());
}

TEST_F(Http, LimitsRequestsPerAddress) {
  HttpLimits limits;
  limits.max_requests_per_address = 2;
  limits.retry_after_s = 7;
  Start(limits);
  auto body = [&]() -> Task<void> {
    TaskGroup group(co_await CurrentExecutor());
    int ok = 0, refused = 0;
    auto one = [&]() -> Task<void> {
      auto answer = co_await client_->Fetch(Request("GET", "/slow"));
      CO_ASSERT_OK(answer);
      if (answer->status == 200) ++ok;
      if (answer->status == 429 && answer->headers.Find("Retry-After") == "7") ++refused;
    };
    for (int i = 0; i < 5; ++i) group.Spawn(one());
    co_await group.Join();
    EXPECT_EQ(ok, 2);
    EXPECT_EQ(refused, 3);
    auto after = co_await client_->Fetch(Request("GET", "/slow"));
    CO_ASSERT_OK(after);
    EXPECT_EQ(after->status, 200);
  };
  RunTask(io_, body());
}

TEST_F(Http, LimitsConnections) {
  HttpLimits limits;
  limits.max_connections = 1;
  Start(limits);
  auto body = [&]() -> Task<void> {
    auto first = co_await TcpStream::Connect(Address(), Millis(5000));
    CO_ASSERT_OK(first);
    co_await Sleep(Millis(20));
    std::string answer = co_await Raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 ")) << answer;
    EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos);
  };
  RunTask(io_, body());
}

TEST_F(Http, AnswersAHandlerThatThrowsOrForgets) {
  Start();
  auto body = [&]() -> Task<void> {
    for (std::string path : {"/throw", "/nothing", "/split"}) {
      auto answer = co_await client_->Fetch(Request("GET", path));
      CO_ASSERT_OK(answer);
      EXPECT_EQ(answer->status, 500) << path;
      EXPECT_EQ(answer->text().find("secret"), std::string::npos);
    }
  };
  RunTask(io_, body());
}

TEST_F(Http, ShowsACutStreamAsAnError) {
  Start();
  auto body = [&]() -> Task<void> {
    auto answer = co_await client_->Fetch(Request("GET", "/cut"));
    CO_ASSERT_TRUE(!answer);
    EXPECT_EQ(answer.error().code(), Code::kUnavailable);
  };
  RunTask(io_, body());
}

TEST_F(Http, NoticesAPeerThatLeaves) {
  Start();
  auto body = [&]() -> Task<void> {
    auto open = co_await client_->Open(Request("GET", "/forever"));
    CO_ASSERT_OK(open);
    {
      HttpStream stream = *std::move(open);
      auto part = co_await stream.Next();
      CO_ASSERT_OK(part);
    }
    auto waiting = co_await TcpStream::Connect(Address(), Millis(5000));
    CO_ASSERT_OK(waiting);
    std::string text = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";
    (void)co_await (*waiting)->WriteAll(AsBytes(text), Millis(5000));
    co_await Sleep(Millis(30));
    EXPECT_EQ(server_->handlers(), 1u);
    (*waiting)->Close();
    for (int i = 0; i < 300 && server_->handlers() > 0; ++i) co_await Sleep(Millis(10));
    EXPECT_EQ(seen_.write_failed, 1);
    EXPECT_EQ(seen_.gone, 1);
    EXPECT_EQ(server_->handlers(), 0u);
  };
  RunTask(io_, body());
}

TEST_F(Http, ReusesAConnectionAndReplacesADeadOne) {
  HttpLimits limits;
  limits.idle_timeout = Millis(50);
  Start(limits);
  auto body = [&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      auto answer = co_await client_->Fetch(Request("POST", "/echo", "hello"));
      CO_ASSERT_OK(answer);
      EXPECT_EQ(answer->text(), "hello");
      EXPECT_EQ(server_->connections(), 1u);
    }
    co_await Sleep(Millis(200));
    EXPECT_EQ(server_->connections(), 0u);
    auto answer = co_await client_->Fetch(Request("POST", "/echo", "again"));
    CO_ASSERT_OK(answer);
    EXPECT_EQ(answer->text(), "again");
  };
  RunTask(io_, body());
}

TEST_F(Http, AnswersPipelinedRequestsInOrder) {
  Start();
  auto body = [&]() -> Task<void> {
    std::string answer = co_await Raw(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\noneGET /slow HTTP/1.1\r\nHost: "
        "a\r\n\r\n"
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nthree");
    size_t one = answer.find("one"), slow = answer.find("slow"), three = answer.find("three");
    EXPECT_TRUE(one < slow && slow < three && three != std::string::npos) << answer;
  };
  RunTask(io_, body());
}

TEST_F(Http, SpeaksHeadContinueAndHttp10) {
  Start();
  auto body = [&]() -> Task<void> {
    auto head = co_await client_->Fetch(Request("HEAD", "/slow"));
    CO_ASSERT_OK(head);
    EXPECT_EQ(head->headers.Find("Content-Length"), "4");
    EXPECT_TRUE(head->body.empty());
    std::string answer = co_await Raw(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: "
        "close\r\nContent-Length: 2\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) << answer;
    answer = co_await Raw("GET /stream HTTP/1.0\r\n\r\n");
    EXPECT_EQ(answer.find("chunked"), std::string::npos);
    EXPECT_TRUE(answer.ends_with("data: 19\n\n")) << answer;
  };
  HttpLimits limits;
  RunTask(io_, body());
}

TEST_F(Http, AnswersAHalfClosedClient) {
  Start();
  auto body = [&]() -> Task<void> {
    std::string answer = co_await Raw("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", /*end=*/true);
    EXPECT_TRUE(answer.ends_with("slow")) << answer;
  };
  RunTask(io_, body());
}

TEST_F(Http, AnswersPreflightsByTheHook) {
  auto cors = [](const HttpRequest& request) -> std::optional<HttpHeaders> {
    if (request.headers.Find("Origin") != "http://good") return std::nullopt;
    return HttpHeaders{{"Access-Control-Allow-Origin", "http://good"}};
  };
  Start({}, cors);
  auto body = [&]() -> Task<void> {
    HttpRequestOptions options = Request("OPTIONS", "/echo");
    options.headers = {{"Origin", "http://bad"}, {"Access-Control-Request-Method", "POST"}};
    auto answer = co_await client_->Fetch(options);
    CO_ASSERT_OK(answer);
    EXPECT_EQ(answer->status, 403);
    EXPECT_FALSE(answer->headers.Has("Access-Control-Allow-Origin"));
    options.headers.Set("Origin", "http://good");
    answer = co_await client_->Fetch(options);
    CO_ASSERT_OK(answer);
    EXPECT_EQ(answer->status, 204);
    EXPECT_EQ(answer->headers.Find("Access-Control-Allow-Origin"), "http://good");
    EXPECT_EQ(seen_.requests, 0);
  };
  RunTask(io_, body());
}

TEST_F(Http, Serves200StreamsAtOnce) {
  HttpLimits limits;
  limits.max_requests_per_address = 1000;
  Start(limits);
  auto body = [&]() -> Task<void> {
    TaskGroup group(co_await CurrentExecutor());
    int complete = 0;
    auto one = [&]() -> Task<void> {
      auto stream = co_await client_->Open(Request("GET", "/stream"));
      CO_ASSERT_OK(stream);
      SseParser parser;
      int events = 0;
      for (;;) {
        auto part = co_await stream->Next();
        CO_ASSERT_OK(part);
        if (!*part) break;
        auto parsed = parser.Feed(**part);
        CO_ASSERT_OK(parsed);
        for (const SseEvent& event : *parsed) EXPECT_EQ(event.data, std::to_string(events++));
      }
      if (events == 20) ++complete;
    };
    for (int i = 0; i < 200; ++i) group.Spawn(one());
    co_await group.Join();
    EXPECT_EQ(complete, 200);
  };
  RunTask(io_, body());
}

TEST_F(Http, StopWaitsForHandlersThenCancels) {
  Start();
  auto body = [&]() -> Task<void> {
    TaskGroup group(co_await CurrentExecutor());
    int status = 0;
    bool hung_up = false;
    auto slow = [&]() -> Task<void> {
      auto answer = co_await client_->Fetch(Request("GET", "/slow"));
      CO_ASSERT_OK(answer);
      status = answer->status;
    };
    auto hang = [&]() -> Task<void> {
      auto answer = co_await client_->Fetch(Request("GET", "/hang"));
      hung_up = !answer;
    };
    group.Spawn(slow());
    group.Spawn(hang());
    co_await Sleep(Millis(50));
    auto start = SteadyClock::now();
    co_await server_->Stop(Millis(1500));
    EXPECT_LT(SteadyClock::now() - start, std::chrono::seconds(10));
    EXPECT_EQ(server_->handlers(), 0u);
    EXPECT_EQ(server_->connections(), 0u);
    co_await group.Join();
    EXPECT_EQ(status, 200);
    EXPECT_TRUE(hung_up);
    auto refused = co_await client_->Fetch(Request("GET", "/slow"));
    EXPECT_FALSE(refused);
  };
  RunTask(io_, body());
}

TEST_F(Http, DestroyingTheServerWithOpenStreamsIsSafe) {
  Start();
  auto body = [&]() -> Task<void> {
    auto stream = co_await client_->Open(Request("GET", "/forever"));
    CO_ASSERT_OK(stream);
    server_.reset();
    for (;;) {
      auto part = co_await stream->Next();
      if (!part) break;
      CO_ASSERT_TRUE(part->has_value());
    }
  };
  RunTask(io_, body());
}

TEST_F(Http, ClientBoundsAndDeadlines) {
  Start();
  auto body = [&]() -> Task<void> {
    HttpRequestOptions options = Request("GET", "/hang");
    options.timeout = Millis(50);
    auto late = co_await client_->Fetch(options);
    CO_ASSERT_TRUE(!late);
    EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
    options = Request("GET", "/flood");
    options.max_response_bytes = 100'000;
    auto large = co_await client_->Fetch(options);
    CO_ASSERT_TRUE(!large);
    EXPECT_EQ(large.error().code(), Code::kResourceExhausted);
    options = Request("GET", "/echo");
    options.url = "https://127.0.0.1:1/";
    auto tls = co_await client_->Fetch(options);
    CO_ASSERT_TRUE(!tls);
    EXPECT_EQ(tls.error().code(), Code::kUnimplemented);
    options.url = "http://127.0.0.1:1/";
    auto nobody = co_await client_->Fetch(options);
    CO_ASSERT_TRUE(!nobody);
    EXPECT_EQ(nobody.error().code(), Code::kUnavailable);
    options = Request("GET / HTTP/1.1\r\nX:", "/echo");
    auto split = co_await client_->Fetch(options);
    CO_ASSERT_TRUE(!split);
    EXPECT_EQ(split.error().code(), Code::kInvalidArgument);
  };
  RunTask(io_, body());
}

TEST_F(Http, LocalhostNeedsNoNameService) {
  Start();
  auto body = [&]() -> Task<void> {
    HttpRequestOptions options = Request("POST", "/echo", "x");
    options.url = "http://localhost:" + std::to_string(server_->port()) + "/echo";
    auto answer = co_await client_->Fetch(options);
    CO_ASSERT_OK(answer);
    EXPECT_EQ(answer->text(), "x");
  };
  RunTask(io_, body());
}

}  // namespace
}  // namespace teetee::net
