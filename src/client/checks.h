// What a client has checked, in plain words, in order: for terminals, JSON, and the error that names the first check that failed.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace teetee::client {

struct CheckResult {
  std::string id;     // "receipt.signature"
  bool passed = false;
  std::string text;   // what was checked, or what was found
};

class CheckList {
 public:
  // Records a check; returns what was passed in, so that a caller can stop.
  bool Add(std::string id, bool passed, std::string text);
  // From a Status: its error's text when it failed.
  bool Add(std::string id, const Status& status, std::string text);

  void Append(const CheckList& other);

  const std::vector<CheckResult>& all() const { return checks_; }
  bool passed() const;  // there is at least one, and none failed
  // The first failure as an error: "check ID: ...".
  Status ToStatus() const;
  Json ToJson() const;
  std::string ToText() const;  // a line each, "ok" or "FAILED" first

 private:
  std::vector<CheckResult> checks_;
};

}  // namespace teetee::client
