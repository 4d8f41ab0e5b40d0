// The sealed answers of a head, kept for a while: each request id is answered once, whoever asks again with the same bytes, or with a valid
// resume, gets the same chunks. Source: docs/formats/sealed-request.md sections 2 and 3. Threads: one io_context.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "net/async.h"
#include "protocol/sealed.h"

namespace teetee::head {

// One answer while it is made and afterwards.
class Answer {
 public:
  Answer(const net::Executor& executor, const protocol::OpenedRequest& request, size_t max_bytes);

  const protocol::SealedHeader& header() const { return header_; }
  const Hash32& wire_hash() const { return wire_hash_; }

  // Seals and stores one event; wakes those who stream. Once over max_bytes all but the final event is dropped and the answer ends with an
  // error event.
  void Emit(const Json& event, bool final = false);
  bool finished() const { return finished_; }
  size_t bytes() const { return bytes_; }

  // The stored bytes from chunk `from` on; waits for the next one. Nothing at the end.
  net::Task<std::optional<Bytes>> Chunk(size_t index);
  Bytes Preamble() const { return sealer_.Preamble(); }

  // kNotFound unless the mac is right and the counter rises.
  Status CheckControl(const protocol::Control& control);
  void Cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }

 private:
  protocol::SealedHeader header_;
  Hash32 wire_hash_;
  Secret<32> control_key_;
  protocol::ResponseSealer sealer_;
  size_t max_bytes_;
  size_t bytes_ = 0;
  std::vector<Bytes> chunks_;
  net::Event changed_;
  uint64_t counter_ = 0;
  bool finished_ = false;
  bool cancelled_ = false;
};

struct AnswerLogLimits {
  size_t max_answers = 4096;      // kept, finished or not
  size_t max_running = 64;
  size_t max_answer_bytes = 8u << 20;
  int64_t keep_seconds = 120;     // after the request's expiry
};

class AnswerLog {
 public:
  AnswerLog(net::Executor executor, AnswerLogLimits limits) : executor_(std::move(executor)), limits_(limits) {}

  // The answer to a request seen before with these very bytes; nullptr for a new one; kFailedPrecondition for a known id with other
  // bytes (a replay or forgery).
  Result<std::shared_ptr<Answer>> Find(const protocol::SealedHeader& header, ByteView wire) const;
  // kResourceExhausted when too many are kept or running.
  Result<std::shared_ptr<Answer>> Begin(const protocol::OpenedRequest& request, int64_t now);
  // For control messages: one error for every reason, so that nobody can probe ids.
  Result<std::shared_ptr<Answer>> ForControl(const protocol::Control& control);

  size_t running() const;
  size_t kept() const { return answers_.size(); }

 private:
  void Forget(int64_t now);
  net::Executor executor_;
  AnswerLogLimits limits_;
  std::map<protocol::RequestId, std::shared_ptr<Answer>> answers_;
};

}  // namespace teetee::head
