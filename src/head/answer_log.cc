#include "head/answer_log.h"

#include "crypto/hash.h"

namespace teetee::head {

Answer::Answer(const net::Executor& executor, const protocol::OpenedRequest& request, size_t max_bytes)
    : header_(request.header),
      wire_hash_(request.wire_hash),
      control_key_(request.control_key),
      sealer_(request.response_secret, request.enc),
      max_bytes_(max_bytes),
      changed_(executor) {}

void Answer::Emit(const Json& event, bool final) {
  if (finished_) return;
  if (!final && bytes_ > max_bytes_) {
    cancelled_ = true;
    return;
  }
  chunks_.push_back(sealer_.Chunk(event, final));
  bytes_ += chunks_.back().size();
  finished_ = final;
  changed_.Set();
}

net::Task<std::optional<Bytes>> Answer::Chunk(size_t index) {
  while (index >= chunks_.size() && !finished_) {
    changed_.Reset();
    co_await changed_.Wait();
  }
  if (index >= chunks_.size()) co_return std::nullopt;
  co_return chunks_[index];
}

Status Answer::CheckControl(const protocol::Control& control) {
  bool right = ConstantTimeEqual(control.Mac(control_key_), control.mac);
  if (!right || control.counter <= counter_) return Error(Code::kNotFound, "no such request");
  counter_ = control.counter;
  return Ok{};
}

Result<std::shared_ptr<Answer>> AnswerLog::Find(const protocol::SealedHeader& header, ByteView wire) const {
  auto found = answers_.find(header.request);
  if (found == answers_.end()) return std::shared_ptr<Answer>();
  if (found->second->wire_hash() != crypto::Sha256(wire)) {
    return Error(Code::kFailedPrecondition, "check request.replay: this request id was used with other bytes");
  }
  return found->second;
}

size_t AnswerLog::running() const {
  size_t count = 0;
  for (const auto& [id, answer] : answers_) count += !answer->finished();
  return count;
}

void AnswerLog::Forget(int64_t now) {
  std::erase_if(answers_, [&](const auto& item) {
    return item.second->finished() && item.second->header().expires + limits_.keep_seconds < now;
  });
}

Result<std::shared_ptr<Answer>> AnswerLog::Begin(const protocol::OpenedRequest& request, int64_t now) {
  Forget(now);
  if (answers_.size() >= limits_.max_answers || running() >= limits_.max_running) {
    return Error(Code::kResourceExhausted, "this node serves as many requests as it may; try again soon");
  }
  auto answer = std::make_shared<Answer>(executor_, request, limits_.max_answer_bytes);
  answers_[request.header.request] = answer;
  return answer;
}

Result<std::shared_ptr<Answer>> AnswerLog::ForControl(const protocol::Control& control) {
  auto found = answers_.find(control.request);
  if (found == answers_.end()) return Error(Code::kNotFound, "no such request");
  TT_RETURN_IF_ERROR(found->second->CheckControl(control));
  return found->second;
}

}  // namespace teetee::head
