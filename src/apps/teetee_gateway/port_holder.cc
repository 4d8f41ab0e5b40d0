#include "apps/teetee_gateway/port_holder.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace teetee::gateway {
namespace {

namespace fs = std::filesystem;

// Inodes of the sockets that listen on the port, from one table: "sl local_address rem_address st
// ... inode".
void ReadListeners(const char* table, uint16_t port, std::set<std::string>& inodes) {
  std::ifstream in(table);
  std::string line;
  char wanted[8];
  std::snprintf(wanted, sizeof wanted, ":%04X", port);
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> sl >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
        inode;
    if (state == "0A" && local.ends_with(wanted)) inodes.insert("socket:[" + inode + "]");
  }
}

bool HoldsAny(const fs::path& process, const std::set<std::string>& inodes) {
  std::error_code failed;
  for (fs::directory_iterator it(process / "fd", failed), end; !failed && it != end;
       it.increment(failed)) {
    std::error_code unreadable;
    if (inodes.count(fs::read_symlink(it->path(), unreadable).string()) != 0) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> PortHolder(uint16_t port) {
  std::set<std::string> inodes;
  ReadListeners("/proc/net/tcp", port, inodes);
  ReadListeners("/proc/net/tcp6", port, inodes);
  if (inodes.empty()) return std::nullopt;
  std::error_code failed;
  for (fs::directory_iterator it("/proc", failed), end; !failed && it != end;
       it.increment(failed)) {
    const std::string pid = it->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos || !HoldsAny(it->path(), inodes))
      continue;
    std::string name;
    std::getline(std::ifstream(it->path() / "comm"), name);
    return name + " (process " + pid + ")";
  }
  return std::nullopt;
}

}  // namespace teetee::gateway
