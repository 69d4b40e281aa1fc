module xinwen/deploy/bench

go 1.26.0

require (
	github.com/liuzl/gocc v0.0.0-20231231122217-0372e1059ca5
	github.com/longbridgeapp/opencc v0.3.13
	golang.org/x/text v0.43.0
	xinwen/deploy v0.0.0
	xinwen/news v0.0.0
)

require (
	github.com/andybalholm/brotli v1.2.8 // indirect
	github.com/bits-and-blooms/bitset v1.24.2 // indirect
	github.com/goccy/go-yaml v1.19.2 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/liuzl/cedar-go v0.0.0-20170805034717-80a9c64b256d // indirect
	github.com/liuzl/da v0.0.0-20180704015230-14771aad5b1d // indirect
)

replace (
	xinwen/api => ../../api
	xinwen/crawler => ../../crawler
	xinwen/deploy => ..
	xinwen/extractor => ../../extractor
	xinwen/indexer => ../../indexer
	xinwen/news => ../../news
)
