// Small files: read with a bound, write so that a crash leaves the old or the new content and never half of one.
#pragma once

#include <string>

#include "base/bytes.h"

namespace teetee {

inline constexpr size_t kMaxSmallFile = 64u << 20;  // bytes

Result<Bytes> ReadFile(const std::string& path, size_t max_bytes = kMaxSmallFile);
// Writes PATH.tmp, syncs it, renames it over PATH and syncs the folder. mode is the permission bits (0600 for keys).
Status WriteFileAtomic(const std::string& path, ByteView content, unsigned mode = 0644);
Status MakeDirectories(const std::string& path);
bool FileExists(const std::string& path);
// Makes this process unreadable to debuggers and forbids core files: for every process that holds secrets.
void ProtectProcess();

}  // namespace teetee
