// SPDX-License-Identifier: Apache-2.0
#include "node/check/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "node/check/cgroup.h"

namespace lineside::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kStatusBytes = 64 * 1024;
constexpr milliseconds kDiskCheckEvery{500};

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

Error failure(const std::string& what, int number = errno) {
  Code code = number == ENOENT ? Code::kNotFound : number == EACCES ? Code::kDenied : Code::kIo;
  return {code, what + ": " + std::strerror(number)};
}

struct Pipe {
  Fd read;
  Fd write;  // a number of 10 or more, so that dup2 to 0..5 cannot hit it
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("cannot make a pipe");
  Fd read(ends[0]);
  Fd write(ends[1]);
  Fd high(::fcntl(write.get(), F_DUPFD_CLOEXEC, 10));
  if (!high) return failure("cannot make a pipe");
  ::fcntl(read.get(), F_SETFL, O_NONBLOCK);
  return Pipe{std::move(read), std::move(high)};
}

Result<Fd> make_file(const Bytes& content) {
  Fd file(::memfd_create("lineside", MFD_CLOEXEC));
  if (!file) return failure("cannot make a file in memory");
  if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
      ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return failure("cannot fill a file in memory");
  }
  Fd high(::fcntl(file.get(), F_DUPFD_CLOEXEC, 10));
  if (!high) return failure("cannot make a file in memory");
  return high;
}

// The program's path, looked up before the fork: afterwards only what is safe in a signal handler
// may be called.
Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string rest = path != nullptr ? path : "/usr/bin:/bin";
  while (true) {
    std::size_t colon = rest.find(':');
    std::string candidate = rest.substr(0, colon) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string::npos) break;
    rest.erase(0, colon + 1);
  }
  return Error{Code::kNotFound, name + " is not installed (looked in PATH)"};
}

struct ChildSetup {
  const char* program = nullptr;
  char* const* argv = nullptr;
  int output = -1;
  int results = -1;
  int status = -1;
  int file = -1;
  int error = -1;  // gets errno if the program cannot be started
  int null = -1;
  const std::vector<int>* entrances = nullptr;
  bool rlimit_memory = false;
  const ProcessPlan* plan = nullptr;
};

void limit(__rlimit_resource_t what, std::uint64_t value) {
  struct rlimit bound {
    value, value
  };
  ::setrlimit(what, &bound);
}

// In the child, after fork(): async-signal-safe calls only.
[[noreturn]] void become(const ChildSetup& setup) {
  ::setpgid(0, 0);
  if (setup.entrances != nullptr) {
    for (int entrance : *setup.entrances) {
      if (::write(entrance, "0", 1) != 1) ::_exit(126);
    }
  }
  const ProcessPlan& plan = *setup.plan;
  limit(RLIMIT_CORE, 0);
  if (plan.file_bytes != 0) limit(RLIMIT_FSIZE, plan.file_bytes);
  // Twice the wall clock on every core: only a safety net, the wall clock comes first.
  limit(RLIMIT_CPU, static_cast<std::uint64_t>(plan.wall.count()) / 1000 * 64 + 1);
  if (setup.rlimit_memory && plan.memory_bytes != 0) limit(RLIMIT_AS, plan.memory_bytes);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  bool good = ::dup2(setup.null, 0) >= 0 && ::dup2(setup.output, 1) >= 0 &&
              ::dup2(setup.output, 2) >= 0 && ::dup2(setup.results, 3) >= 0 &&
              ::dup2(setup.status, kStatusFd) >= 0;
  if (good && setup.file >= 0) good = ::dup2(setup.file, kFileFd) >= 0;
  if (good) {
    const char* environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", nullptr};
    ::execve(setup.program, setup.argv, const_cast<char* const*>(environment));
  }
  int number = errno;
  (void)!::write(setup.error, &number, sizeof(number));
  ::_exit(127);
}

// One running child and its pipes.
class Child {
 public:
  Child(const ProcessPlan& plan, std::unique_ptr<Cgroup> group)
      : plan_(plan), group_(std::move(group)) {}
  ~Child() {
    if (pid_ > 0) {
      kill_now();
      ::waitpid(pid_, nullptr, 0);
      // Else what was cancelled would leave a dead process for each time.
      while (read_some(status_, run_.status, kStatusBytes)) {
      }
      take_orphan();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Result<void> start();
  Result<ProcessRun> watch(std::stop_token stop);

 private:
  Result<void> await_exec(const std::string& program, Pipe& error);
  void read_output();
  bool read_some(const Fd& pipe, std::string& into, std::size_t cap);
  void read_all();
  void begin_end(bool ProcessEnd::*why);
  void kill_now() const;
  void add_usage(const struct rusage& usage);
  void take_orphan();
  void take_exit();
  [[nodiscard]] int poll_timeout() const;

  const ProcessPlan& plan_;
  std::unique_ptr<Cgroup> group_;
  pid_t pid_ = -1;
  Fd pidfd_, output_, results_, status_;
  std::string results_text_;
  ProcessRun run_;
  steady_clock::time_point started_, deadline_, next_disk_check_;
  std::optional<steady_clock::time_point> kill_at_;
};

Result<void> Child::start() {
  TRY_ASSIGN(std::string program, find_program(plan_.argv.at(0)));
  TRY_ASSIGN(Pipe output, make_pipe());
  TRY_ASSIGN(Pipe results, make_pipe());
  TRY_ASSIGN(Pipe status, make_pipe());
  TRY_ASSIGN(Pipe error, make_pipe());
  Fd file;
  if (!plan_.file_5.empty()) {
    TRY_ASSIGN(file, make_file(plan_.file_5));
  }
  Fd null_low(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Fd null(::fcntl(null_low.get(), F_DUPFD_CLOEXEC, 10));
  std::vector<char*> argv;
  for (const std::string& part : plan_.argv) argv.push_back(const_cast<char*>(part.c_str()));
  argv.push_back(nullptr);
  ChildSetup setup{program.c_str(),
                   argv.data(),
                   output.write.get(),
                   results.write.get(),
                   status.write.get(),
                   file.get(),
                   error.write.get(),
                   null.get(),
                   nullptr,
                   group_ == nullptr,
                   &plan_};
  if (group_) setup.entrances = &group_->entrances();
  // What outlives the program becomes our child, so that its use of CPU and memory can be read.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  started_ = steady_clock::now();
  pid_ = ::fork();
  if (pid_ < 0) return failure("cannot fork");
  if (pid_ == 0) become(setup);
  ::setpgid(pid_, pid_);
  pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_) return failure("cannot watch a process");
  output_ = std::move(output.read);
  results_ = std::move(results.read);
  status_ = std::move(status.read);
  deadline_ = started_ + plan_.wall;
  next_disk_check_ = started_ + kDiskCheckEvery;
  return await_exec(program, error);
}

// The error pipe closes by itself when the program has started.
Result<void> Child::await_exec(const std::string& program, Pipe& error) {
  error.write.reset();
  struct pollfd wait {
    error.read.get(), POLLIN, 0
  };
  while (::poll(&wait, 1, -1) < 0 && errno == EINTR) {
  }
  int number = 0;
  if (::read(error.read.get(), &number, sizeof(number)) == sizeof(number)) {
    return failure("cannot start " + program, number);
  }
  return ok();
}

bool Child::read_some(const Fd& pipe, std::string& into, std::size_t cap) {
  std::array<char, 16384> buffer;
  ssize_t count = ::read(pipe.get(), buffer.data(), buffer.size());
  if (count <= 0) return false;
  std::size_t room = cap - std::min(cap, into.size());
  auto size = static_cast<std::size_t>(count);
  into.append(buffer.data(), std::min(size, room));
  if (&pipe == &results_ && size > room) begin_end(&ProcessEnd::too_much_output);
  return true;
}

void Child::read_output() {
  std::string fresh;
  while (read_some(output_, fresh, 16384)) {
    run_.output_bytes += fresh.size();
    run_.output_tail += fresh;
    fresh.clear();
    if (run_.output_tail.size() > 16 * kTailBytes) {
      run_.output_tail.erase(0, run_.output_tail.size() - kTailBytes);
    }
  }
}

void Child::read_all() {
  read_output();
  while (read_some(results_, results_text_, plan_.max_results)) {
  }
  while (read_some(status_, run_.status, kStatusBytes)) {
  }
}

void Child::begin_end(bool ProcessEnd::*why) {
  if (kill_at_) return;
  run_.end.*why = true;
  ::kill(-pid_, SIGTERM);
  kill_at_ = steady_clock::now() + plan_.grace;
}

void Child::kill_now() const {
  ::kill(-pid_, SIGKILL);
  if (group_) group_->kill_all();
}

int Child::poll_timeout() const {
  steady_clock::time_point next = kill_at_ ? *kill_at_ : deadline_;
  if (plan_.over_disk_limit) next = std::min(next, next_disk_check_);
  auto left = std::chrono::ceil<milliseconds>(next - steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Child::add_usage(const struct rusage& usage) {
  auto time = [](const struct timeval& t) { return t.tv_sec * 1000 + t.tv_usec / 1000; };
  run_.max_rss_bytes =
      std::max(run_.max_rss_bytes, static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
  run_.cpu += milliseconds(time(usage.ru_utime) + time(usage.ru_stime));
}

// bubblewrap ends without waiting for the first process of its PID namespace, and what the probe
// used is accounted to that one. We are its next parent (see start) and it is dying: it is killed
// with bubblewrap, and everything in its namespace with it.
void Child::take_orphan() {
  constexpr std::string_view kKey = "\"child-pid\":";
  std::size_t at = run_.status.find(kKey);
  if (at == std::string::npos) return;
  auto orphan =
      static_cast<pid_t>(std::strtol(run_.status.c_str() + at + kKey.size(), nullptr, 10));
  struct rusage usage {};
  pid_t taken = -1;
  while ((taken = ::wait4(orphan, nullptr, 0, &usage)) < 0 && errno == EINTR) {
  }
  if (taken == orphan) add_usage(usage);
}

void Child::take_exit() {
  int status = 0;
  struct rusage usage {};
  while (::wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  run_.wall = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
  run_.end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  add_usage(usage);
  run_.end.out_of_memory = group_ && group_->out_of_memory();
  kill_now();  // what it may have left in its group
  take_orphan();
  pid_ = -1;
}

Result<ProcessRun> Child::watch(std::stop_token stop) {
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::stop_callback on_stop(stop, [&wake] {
    std::uint64_t one = 1;
    (void)!::write(wake.get(), &one, sizeof(one));
  });
  while (true) {
    std::array<struct pollfd, 5> fds = {{{pidfd_.get(), POLLIN, 0},
                                         {wake.get(), POLLIN, 0},
                                         {output_.get(), POLLIN, 0},
                                         {results_.get(), POLLIN, 0},
                                         {status_.get(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), poll_timeout());
    if (stop.stop_requested()) {
      return Error{Code::kCancelled, plan_.argv.front() + " was stopped on request"};
    }
    read_all();
    // A closed pipe is always readable: stop asking for it.
    for (auto [at, pipe] : {std::pair{2, &output_}, {3, &results_}, {4, &status_}}) {
      if ((fds[static_cast<std::size_t>(at)].revents & (POLLHUP | POLLERR)) != 0) pipe->reset();
    }
    if ((fds[0].revents & POLLIN) != 0) break;
    auto now = steady_clock::now();
    if (now >= deadline_) begin_end(&ProcessEnd::timed_out);
    if (plan_.over_disk_limit && now >= next_disk_check_) {
      if (plan_.over_disk_limit()) begin_end(&ProcessEnd::too_much_disk);
      next_disk_check_ = now + kDiskCheckEvery;
    }
    if (kill_at_ && now >= *kill_at_) {
      kill_now();
      kill_at_ = now + plan_.grace;
    }
  }
  read_all();
  take_exit();
  if (run_.output_tail.size() > kTailBytes) {
    run_.output_tail.erase(0, run_.output_tail.size() - kTailBytes);
  }
  run_.results = to_bytes(results_text_);
  return std::move(run_);
}

}  // namespace

Result<ProcessRun> run_process(const ProcessPlan& plan, std::stop_token stop) {
  std::unique_ptr<Cgroup> group;
  if (plan.memory_bytes != 0) group = Cgroup::create(plan.memory_bytes, plan.pids);
  Child child(plan, std::move(group));
  TRY(child.start());
  return child.watch(std::move(stop));
}

}  // namespace lineside::node
