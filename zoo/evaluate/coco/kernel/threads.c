/* Threads that take jobs in turn. */
#include "kernel.h"

#include <pthread.h>

#define MAX_THREADS 256

int kernel_version(void) { return KERNEL_VERSION; }

int64_t next_job(Jobs *jobs) {
    if (atomic_load(&jobs->failed)) return -1;
    int64_t job = atomic_fetch_add(&jobs->next, 1);
    return job < jobs->count ? job : -1;
}

void on_threads(int64_t threads, void *(*worker)(void *), void *context) {
    pthread_t others[MAX_THREADS];
    int started = 0;
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    /* a thread that can't be started is not missed: the rest take its jobs */
    while (started < threads - 1 && pthread_create(&others[started], NULL, worker, context) == 0) started++;
    worker(context);
    for (int i = 0; i < started; i++) pthread_join(others[i], NULL);
}
