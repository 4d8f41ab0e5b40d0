// URLs, server-sent events, header fields and the HTTP codecs: everything that needs no socket.
#include <gtest/gtest.h>

#include "net/http_codec.h"
#include "net/sse.h"
#include "net/url.h"

namespace boost {
void assertion_failed(const char*, const char*, const char*, long);  // http_codec.cc
}

namespace teetee::net {
namespace {

TEST(Url, RefusesWhatIsNotStrict) {
  for (const char* text : {"",
                           "example.com",
                           "ftp://a/",
                           "http://",
                           "http:///x",
                           "http://user@host/",
                           "http://a:b@h/",
                           "http://h:/",
                           "http://h:0/",
                           "http://h:65536/",
                           "http://h:1x/",
                           "http://h/a b",
                           "http://h/#frag",
                           "http://h/\x01",
                           "http://h/\xc3\xa9",
                           "http://[::1",
                           "http://[]/",
                           "http://[zz]/",
                           "http://[::1]x/",
                           "http://h\r\nX: y/",
                           "http://a,b/",
                           "http://h/\r\nX:1"}) {
    EXPECT_FALSE(ParseUrl(text)) << text;
  }
  EXPECT_FALSE(ParseUrl("http://h/" + std::string(kMaxUrl, 'a')));
}

TEST(Url, SplitsGoodOnes) {
  auto url = ParseUrl("HTTP://Node.Example:8080/v1/models?x=1%20&y");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "http");
  EXPECT_EQ(url->host, "node.example");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->target, "/v1/models?x=1%20&y");
  EXPECT_EQ(url->HostHeader(), "node.example:8080");
  auto bare = ParseUrl("https://[::1]?q");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->host, "::1");
  EXPECT_EQ(bare->port, 443);
  EXPECT_EQ(bare->target, "/?q");
  EXPECT_EQ(bare->HostHeader(), "[::1]");
}

TEST(Url, DecodesQueryParameters) {
  EXPECT_EQ(QueryParameter("a=1&b=x%2Fy&c", "b"), "x/y");
  EXPECT_EQ(QueryParameter("a=1&b=x%2Fy&c", "c"), "");
  EXPECT_EQ(QueryParameter("a=1", "b"), std::nullopt);
  EXPECT_EQ(QueryParameter("a=%4", "a"), std::nullopt);
  EXPECT_FALSE(PercentDecode("%"));
  EXPECT_FALSE(PercentDecode("%4"));
  EXPECT_FALSE(PercentDecode("%zz"));
}

std::vector<SseEvent> FeedInPieces(std::string_view text, size_t piece) {
  SseParser parser;
  std::vector<SseEvent> out;
  for (size_t i = 0; i < text.size(); i += piece) {
    auto events = parser.Feed(AsBytes(text.substr(i, piece)));
    EXPECT_TRUE(events);
    for (auto& event : *events) out.push_back(event);
  }
  return out;
}

TEST(Sse, ReadsTheSameInPiecesOfAnySize) {
  const std::string text =
      "\xEF\xBB\xBF: comment\r\ndata: one\r\ndata:two\r\n\r\nevent: note\rid: 7\rdata: "
      "three\r\rdata\n\nid: 8\n\ndata: lost";
  for (size_t piece : {1u, 2u, 3u, 7u, 1000u}) {
    auto events = FeedInPieces(text, piece);
    ASSERT_EQ(events.size(), 3u) << piece;
    EXPECT_EQ(events[0].type, "message");
    EXPECT_EQ(events[0].data, "one\ntwo");
    EXPECT_EQ(events[1].type, "note");
    EXPECT_EQ(events[1].data, "three");
    EXPECT_EQ(events[1].id, "7");
    EXPECT_EQ(events[2].data, "");
  }
}

TEST(Sse, RefusesAnEndlessEvent) {
  SseParser parser(100);
  std::string line = "data: " + std::string(60, 'x') + "\n";
  EXPECT_TRUE(parser.Feed(AsBytes(line)));
  EXPECT_FALSE(parser.Feed(AsBytes(line)));
  EXPECT_FALSE(parser.Feed(AsBytes("\n\n")));
  SseParser empty_lines(100);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "data\n";
  EXPECT_FALSE(empty_lines.Feed(AsBytes(many)));
}

TEST(Sse, FramesWhatItReads) {
  for (std::string data : {"", "x", "a\nb", "\n"}) {
    auto events = FeedInPieces(SseFrame(data), 3);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].data, data);
  }
}

TEST(Headers, RefuseSplitting) {
  EXPECT_FALSE(HttpHeaders({{"X", "a\r\nY: b"}}).Validate());
  EXPECT_FALSE(HttpHeaders({{"X", std::string("a\0b", 3)}}).Validate());
  EXPECT_FALSE(HttpHeaders({{"X: y", "a"}}).Validate());
  EXPECT_FALSE(HttpHeaders({{"", "a"}}).Validate());
  EXPECT_TRUE(HttpHeaders({{"X-y", "a\tb \xc3\xa9"}}).Validate());
}

TEST(Headers, CompareWithoutCase) {
  HttpHeaders headers{{"Content-Type", "a"}, {"content-type", "b"}};
  EXPECT_EQ(headers.Find("CONTENT-TYPE"), "a");
  EXPECT_EQ(headers.Count("content-TYPE"), 2u);
  headers.Set("content-Type", "c");
  EXPECT_EQ(headers.fields().size(), 1u);
}

// Feeds in pieces, keeping what was not taken, as the server does. Returns the HTTP status of the
// refusal, 200 when complete, 0 when more is needed.
int Decode(std::string_view text, size_t piece, HttpRequest* out = nullptr,
           size_t max_header = 1024, size_t max_body = 64) {
  HttpRequestDecoder decoder(max_header, max_body);
  Bytes pending;
  for (size_t i = 0; i < text.size() && !decoder.done(); i += piece) {
    ByteView part = AsBytes(text.substr(i, piece));
    pending.insert(pending.end(), part.begin(), part.end());
    for (;;) {
      auto taken = decoder.Put(pending);
      if (!taken) return decoder.http_status();
      if (*taken == 0) break;
      pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(*taken));
    }
  }
  if (!decoder.done()) return 0;
  if (out) *out = decoder.request();
  return 200;
}

TEST(RequestDecoder, TakesAnEmptyChunkedBodyInPiecesOfEverySize) {
  const std::string text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (size_t piece = 1; piece < text.size(); ++piece) {
    EXPECT_EQ(Decode(text + "0\r\n\r\n", piece), 200) << piece;
    EXPECT_EQ(Decode(text + "0\r\nA: b\r\n\r\n", piece), 200) << piece;
    EXPECT_EQ(Decode(text + "1\r\nx\r\n0\r\n\r\n", piece), 200) << piece;
  }
}

// Stands for an assertion of Beast that foreign bytes reach: it throws to the decoder, which refuses.
TEST(RequestDecoder, AnAssertionOfBeastDoesNotEndTheProcess) {
  EXPECT_ANY_THROW(boost::assertion_failed("expression", "function", "file", 1));
}

struct BadRequest {
  const char* name;
  std::string text;
  int status;
};

TEST(RequestDecoder, RefusesWithTheRightStatus) {
  const std::string host = "Host: a\r\n";
  const BadRequest cases[] = {
      {"garbage", "\x16\x03\x01\x02garbage\r\n\r\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
      {"version", "GET / HTTP/2.0\r\n" + host + "\r\n", 400},
      {"target", "GET x HTTP/1.1\r\n" + host + "\r\n", 400},
      {"connect", "CONNECT a:1 HTTP/1.1\r\n" + host + "\r\n", 400},
      {"length and coding",
       "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"coding and length",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
       400},
      {"two lengths",
       "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
      {"negative length", "POST / HTTP/1.1\r\n" + host + "Content-Length: -3\r\n\r\n", 400},
      {"gzip coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", 400},
      {"gzip, chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n",
       400},
      {"bad chunk size", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
       400},
      {"field without colon", "GET / HTTP/1.1\r\n" + host + "oops\r\n\r\n", 400},
      {"large body", "POST / HTTP/1.1\r\n" + host + "Content-Length: 65\r\n\r\n", 413},
      {"large chunks",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n40\r\n" +
           std::string(64, 'a') + "\r\n1\r\na\r\n",
       413},
      {"huge chunk",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
       413},
      {"long target", "GET /" + std::string(2000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 431},
      {"long field", "GET / HTTP/1.1\r\n" + host + "X: " + std::string(2000, 'a') + "\r\n\r\n",
       431},
      {"many fields",
       "GET / HTTP/1.1\r\n" + host +
           [] {
             std::string s;
             for (int i = 0; i < 300; ++i) s += "X: y\r\n";
             return s;
           }() +
           "\r\n",
       431},
      {"endless extension",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" +
           std::string(3000, 'e'),
       431},
  };
  for (const BadRequest& bad : cases) {
    for (size_t piece : {1u, 16u, 100000u})
      EXPECT_EQ(Decode(bad.text, piece), bad.status) << bad.name << " by " << piece;
  }
}

TEST(RequestDecoder, ReadsChunkedBodiesInPieces) {
  const std::string text =
      "POST /a/b?c=d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "Chunked\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n";
  for (size_t piece : {1u, 2u, 5u, 1000u}) {
    HttpRequest request;
    ASSERT_EQ(Decode(text, piece, &request), 200) << piece;
    EXPECT_EQ(request.path, "/a/b");
    EXPECT_EQ(request.query, "c=d");
    EXPECT_EQ(request.text(), "abcde");
    EXPECT_FALSE(request.headers.Has("X-Trailer"));
  }
}

TEST(RequestDecoder, AcceptsAbsoluteForm) {
  HttpRequest request;
  ASSERT_EQ(Decode("GET http://h:1/p?q HTTP/1.1\r\nHost: h:1\r\n\r\n", 9, &request), 200);
  EXPECT_EQ(request.target, "/p?q");
}

TEST(ResponseDecoder, TellsACutBodyFromACompleteOne) {
  HttpResponseDecoder cut(false, 1024, 1024);
  ASSERT_TRUE(cut.Put(AsBytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")));
  EXPECT_FALSE(cut.PutEnd());
  HttpResponseDecoder to_end(false, 1024, 1024);
  ASSERT_TRUE(to_end.Put(AsBytes("HTTP/1.1 200 OK\r\n\r\nab")));
  EXPECT_FALSE(to_end.done());
  EXPECT_TRUE(to_end.PutEnd());
  EXPECT_TRUE(to_end.done());
  EXPECT_EQ(AsText(to_end.TakeBody()), "ab");
  HttpResponseDecoder nothing(false, 1024, 1024);
  EXPECT_FALSE(nothing.PutEnd());
}

TEST(ResponseDecoder, BoundsTheBody) {
  HttpResponseDecoder decoder(false, 1024, 4);
  auto result = decoder.Put(AsBytes("HTTP/1.1 200 OK\r\n\r\nabcde"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace teetee::net
