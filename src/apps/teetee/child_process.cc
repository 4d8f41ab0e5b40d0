#include "apps/teetee/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace teetee::cli {
namespace {

constexpr int kPatience = 120;            // rounds
constexpr useconds_t kRound = 50'000;     // microseconds

}  // namespace

Result<ChildProcess> ChildProcess::Start(const std::vector<std::string>& argv, const std::string& log) {
  if (::access(argv[0].c_str(), X_OK) != 0) return Error(Code::kNotFound, "there is no program " + argv[0] + ": build it (./dev build)");
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) return Error(Code::kUnavailable, log + " cannot be written");
  std::vector<char*> raw;
  for (const std::string& arg : argv) raw.push_back(const_cast<char*>(arg.c_str()));
  raw.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::setpgid(0, 0);  // Ctrl-C in the terminal reaches the parent, which stops this one in order
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execv(raw[0], raw.data());
    ::_exit(127);
  }
  ::close(out);
  if (pid < 0) return Error(Code::kResourceExhausted, "no process can be started");
  return ChildProcess(pid);
}

ChildProcess::~ChildProcess() { Stop(); }

bool ChildProcess::IsRunning() {
  if (pid_ != 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ != 0;
}

void ChildProcess::Stop() {
  if (!IsRunning()) return;
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < kPatience && IsRunning(); ++i) ::usleep(kRound);
  if (!IsRunning()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

}  // namespace teetee::cli
