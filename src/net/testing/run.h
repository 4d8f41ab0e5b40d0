// For tests: runs one task on an io_context to its end, and fails the test instead of hanging.
#pragma once

#include <gtest/gtest.h>

#include "net/async.h"

namespace teetee::net::testing {

// Handlers that other tasks left behind stay queued: the io_context can be run again.
inline void RunTask(IoContext& io, Task<void> task, Millis limit = std::chrono::seconds(60)) {
  std::exception_ptr failure;
  bool done = false;
  asio::co_spawn(io, std::move(task), [&](std::exception_ptr exception) {
    failure = exception;
    done = true;
    io.stop();
  });
  io.restart();
  io.run_for(limit);
  ASSERT_TRUE(done) << "the task did not end within " << limit.count() << " ms";
  if (failure) std::rethrow_exception(failure);
}

}  // namespace teetee::net::testing

// A coroutine may not `return`, so gtest's ASSERT macros do not work there.
#define CO_ASSERT_TRUE(condition)               \
  if (!(condition)) {                           \
    ADD_FAILURE() << #condition << " is false"; \
    co_return;                                  \
  }
#define CO_ASSERT_OK(result)                                        \
  if (!(result)) {                                                  \
    ADD_FAILURE() << #result << ": " << (result).error().message(); \
    co_return;                                                      \
  }
