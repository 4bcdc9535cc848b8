/* A gate of one mutex and one condition; see gate.h. */
#include "test/contract/gate.h"

void gate_pass(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->entered++;
    while (!gate->open) pthread_cond_wait(&gate->changed, &gate->lock);
    gate->left++;
    pthread_mutex_unlock(&gate->lock);
}

mqc_consume_status gate_judge(mqc_delivery *delivery, void *arg)
{
    (void)delivery;
    gate_pass(arg);
    return MQC_CONSUME_SUCCESS;
}

void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

struct crowd {
    struct gate *gate;
    int entered;
};

static bool have_entered(void *arg)
{
    struct crowd *crowd = arg;
    pthread_mutex_lock(&crowd->gate->lock);
    bool enough = crowd->gate->entered >= crowd->entered;
    pthread_mutex_unlock(&crowd->gate->lock);
    return enough;
}

void gate_await(struct gate *gate, int entered)
{
    struct crowd crowd = {gate, entered};
    contract_await("listener calls at the gate", have_entered, &crowd);
}

int gate_left(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    int left = gate->left;
    pthread_mutex_unlock(&gate->lock);
    return left;
}
