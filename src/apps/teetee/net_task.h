// Runs one coroutine to its end on an event loop of its own, for commands that do one thing.
#pragma once

#include <optional>

#include "net/async.h"

namespace teetee::cli {

// make(io) returns the task; objects that it uses may live in its frame.
template <class T, class Make>
Result<T> RunTask(Make make) {
  net::IoContext io(1);
  std::optional<Result<T>> out;
  auto drive = [](net::Task<Result<T>> task, std::optional<Result<T>>& to, net::IoContext& loop) -> net::Task<void> {
    to = co_await std::move(task);
    loop.stop();
  };
  net::Spawn(io.get_executor(), drive(make(io), out, io), "command");
  io.run();
  if (!out) return Error(Code::kInternal, "the command did not finish");
  return *std::move(out);
}

}  // namespace teetee::cli
