#include "callback/mhd/worker_pool.h"

#include <utility>

namespace tw::callback {

WorkerPool::WorkerPool(unsigned threads, std::size_t queue) : limit_(queue) {
  threads_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

bool WorkerPool::Offer(Job job) {
  {
    std::lock_guard lock(mutex_);
    if (closed_ || jobs_.size() >= limit_) return false;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::Stop() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  stop_.request_stop();
  changed_.notify_all();
  threads_.clear();  // joins
}

void WorkerPool::Work() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job(stop_.get_token());
  }
}

}  // namespace tw::callback
