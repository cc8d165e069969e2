package main

import "testing"

func TestOpen(t *testing.T) {
	open(1)
}
