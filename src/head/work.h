// One request while it is at work. Internal to module head.
#pragma once

#include "head/service.h"

namespace teetee::head {

// One stage's commitments and newest proof over the choices of a request.
struct StageRecord {
  attest::Claims claims;
  Bytes commitments;  // one after another, by choice
  std::optional<chain::Work> work;
  std::optional<chain::Part> part;
};

struct HeadService::Work {
  std::shared_ptr<Answer> answer;
  protocol::OpenedRequest request;
  std::string body;  // as the client sent it
  protocol::Plan plan;
  protocol::Payment payment;
  Secret<32> secret;
  GenerationRequest wanted;
  std::vector<uint32_t> prompt;
  uint32_t max_new = 0;  // tokens of one choice
  chain::Wei most;       // what it may cost
  chain::Wei need;       // voucher total that would do, when it was refused
  std::string param;     // member at fault, when it was refused

  pipeline::PayMode mode = pipeline::PayMode::kFree;
  Hash32 query{};
  std::unique_ptr<Reservation> reservation;

  AnswerHead head;
  std::vector<Choice> choices;
  std::vector<std::string> outputs;
  Usage usage;
  std::string finish;
  std::map<uint32_t, StageRecord> stages;  // by slot; 0 is this node
};

}  // namespace teetee::head
