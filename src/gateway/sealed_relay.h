// Carries sealed requests to heads and their answers back, chunk by chunk as they come. It looks at
// the envelope's header only and keeps nothing. The answer is read no faster than the client takes
// it; when the client leaves, the head's connection is closed; when the head breaks off, so is the
// client's stream, without its end. Threads: one io_context.
#pragma once

#include "gateway/answer_clock.h"
#include "gateway/directory.h"
#include "net/http_client.h"
#include "net/http_server.h"

namespace teetee::gateway {

struct SealedSettings {
  net::Millis open_timeout{30'000};   // until the head's answer begins
  net::Millis idle_timeout{600'000};  // between its chunks: a long prompt takes its time
  net::Millis evidence_timeout{15'000};
  size_t max_answer = 64u << 20;  // bytes
  size_t max_streams = 1024;      // at once
  net::AddressRule may_dial = nullptr;  // none: any address
};

struct SealedCounters {
  uint64_t requests = 0, refused = 0, unavailable = 0, completed = 0, cut = 0,
           left = 0;   // left: the client went away
  uint64_t bytes = 0;  // of answers
};

class SealedRelay {
 public:
  SealedRelay(const net::Executor& executor, const Directory& directory, History& history,
              SealedSettings settings);

  // Each answers its request, whatever happens.
  net::Task<void> Sealed(net::HttpRequest& request, net::HttpReply& reply);
  net::Task<void> Control(net::HttpRequest& request, net::HttpReply& reply);
  net::Task<void> Evidence(Address key, net::HttpReply& reply);

  const SealedCounters& counters() const { return counters_; }
  size_t streams() const { return streams_; }

 private:
  // The head's base URL. kNotFound: no head with a running lease has this key; kUnavailable: it
  // does not answer.
  Result<std::string> FindHead(const Address& key, const Hash32* model) const;
  // Where a request goes, and whose speed its answer tells of.
  struct Route {
    std::string url, content_type;
    std::optional<std::pair<Address, Hash32>> timed;  // head, model
  };
  Result<Route> RouteSealed(const net::HttpRequest& request) const;
  Result<Route> RouteControl(const net::HttpRequest& request) const;
  net::Task<void> Carry(Route route, net::HttpRequest& request, net::HttpReply& reply);
  net::Task<Result<net::HttpStream>> Open(net::HttpRequestOptions options);
  net::Task<bool> PassBody(net::HttpStream& from, net::HttpReply& reply,
                           AnswerClock& clock);  // true: to its end
  net::Task<void> PassError(net::HttpStream& from, net::HttpReply& reply);
  net::Task<Result<net::HttpResponse>> FetchEvidence(std::string base, Address key);

  const Directory& directory_;
  History& history_;
  SealedSettings settings_;
  net::HttpClient http_;
  SealedCounters counters_;
  size_t streams_ = 0;
};

}  // namespace teetee::gateway
