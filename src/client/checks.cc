#include "client/checks.h"

namespace teetee::client {

bool CheckList::Add(std::string id, bool passed, std::string text) {
  checks_.push_back({std::move(id), passed, std::move(text)});
  return passed;
}

bool CheckList::Add(std::string id, const Status& status, std::string text) {
  return Add(std::move(id), status.has_value(), status ? std::move(text) : status.error().message());
}

void CheckList::Append(const CheckList& other) {
  checks_.insert(checks_.end(), other.checks_.begin(), other.checks_.end());
}

bool CheckList::passed() const {
  for (const CheckResult& check : checks_) {
    if (!check.passed) return false;
  }
  return !checks_.empty();
}

Status CheckList::ToStatus() const {
  for (const CheckResult& check : checks_) {
    if (!check.passed) return Error(Code::kUnauthenticated, "check " + check.id + ": " + check.text);
  }
  if (checks_.empty()) return Error(Code::kInternal, "nothing was checked");
  return Ok{};
}

Json CheckList::ToJson() const {
  Json out = Json::MakeArray();
  for (const CheckResult& check : checks_) {
    out.Push(Json::MakeObject({{"check", check.id}, {"passed", check.passed}, {"text", check.text}}));
  }
  return out;
}

std::string CheckList::ToText() const {
  std::string out;
  for (const CheckResult& check : checks_) {
    out += (check.passed ? "  ok      " : "  FAILED  ") + check.id + ": " + check.text + "\n";
  }
  return out;
}

}  // namespace teetee::client
