// The Go client v2 at the other end: sends COUNT messages one by one and COUNT in a batch, all with tag "a", and one with
// tag "b"; then its push consumer takes those with "a" and refuses the first call. Ends with 0 when each came, and what was refused
// came again. Usage: peer NAMESRV TOPIC COUNT
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "peer: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func send(server, topic string, count int) {
	p, err := producer.NewDefaultProducer(producer.WithNameServer([]string{server}), producer.WithGroupName("go_producer"))
	check("producer", err)
	check("start of the producer", p.Start())
	var batch []*primitive.Message
	for i := 0; i < count; i++ {
		_, err = p.SendSync(context.Background(), primitive.NewMessage(topic, []byte(fmt.Sprintf("one %d", i))).WithTag("a"))
		check("send", err)
		batch = append(batch, primitive.NewMessage(topic, []byte(fmt.Sprintf("batched %d", i))).WithTag("a"))
	}
	_, err = p.SendSync(context.Background(), batch...)
	check("batch", err)
	_, err = p.SendSync(context.Background(), primitive.NewMessage(topic, []byte("other")).WithTag("b"))
	check("send", err)
	check("shutdown of the producer", p.Shutdown())
	fmt.Println("sent")
}

// What came, and how often. `again` is told when a message comes for the second time.
type record struct {
	lock  sync.Mutex
	times map[string]int
	again chan bool
	calls int
}

func (r *record) listen(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	for _, message := range messages {
		r.times[string(message.Body)]++
		if r.times[string(message.Body)] == 2 {
			r.again <- true
		}
	}
	r.calls++
	if r.calls == 1 {
		return consumer.ConsumeRetryLater, nil
	}
	return consumer.ConsumeSuccess, nil
}

func consume(server, topic string, count int) bool {
	r := &record{times: map[string]int{}, again: make(chan bool, 2*count)}
	c, err := consumer.NewPushConsumer(consumer.WithNameServer([]string{server}), consumer.WithGroupName(topic+"_go"),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	check("consumer", err)
	check("subscribe", c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: "a"}, r.listen))
	check("start of the consumer", c.Start())
	select {
	case <-r.again:
	case <-time.After(100 * time.Second):
	}
	check("shutdown of the consumer", c.Shutdown())
	r.lock.Lock()
	defer r.lock.Unlock()
	twice := 0
	for _, times := range r.times {
		if times == 2 {
			twice++
		}
	}
	fmt.Println("came:", len(r.times), "of", count, "messages, twice:", twice)
	return len(r.times) == count && twice == 1 && r.times["other"] == 0
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: peer NAMESRV TOPIC COUNT")
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[3])
	check("COUNT", err)
	rlog.SetLogLevel("error")
	send(os.Args[1], os.Args[2], count)
	if !consume(os.Args[1], os.Args[2], 2*count) {
		os.Exit(1)
	}
}
