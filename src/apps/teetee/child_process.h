// One program that runs beside this one and does not outlive it. Threads: one.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace teetee::cli {

class ChildProcess {
 public:
  // argv[0] is the program's path; its output is appended to `log`. The kernel ends it when this process ends. kNotFound: it cannot be
  // run.
  static Result<ChildProcess> Start(const std::vector<std::string>& argv, const std::string& log);
  ~ChildProcess();  // Stop
  ChildProcess(ChildProcess&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
  ChildProcess& operator=(ChildProcess&&) = delete;

  bool IsRunning();
  void Stop();  // SIGTERM, then SIGKILL after six seconds; waits
  pid_t pid() const { return pid_; }

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = 0;  // 0: ended
};

}  // namespace teetee::cli
