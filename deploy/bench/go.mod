module xinwen/deploy/bench

go 1.26.0

require (
	xinwen/api v0.0.0
	xinwen/crawler v0.0.0
	xinwen/deploy v0.0.0
	xinwen/extractor v0.0.0
	xinwen/indexer v0.0.0
	xinwen/news v0.0.0
)

require (
	github.com/liuzl/cedar-go v0.0.0-20170805034717-80a9c64b256d // indirect
	github.com/liuzl/da v0.0.0-20180704015230-14771aad5b1d // indirect
	github.com/liuzl/gocc v0.0.0-20231231122217-0372e1059ca5 // indirect
	github.com/longbridgeapp/opencc v0.3.13 // indirect
)

replace (
	xinwen/api => ../../api
	xinwen/crawler => ../../crawler
	xinwen/deploy => ..
	xinwen/extractor => ../../extractor
	xinwen/indexer => ../../indexer
	xinwen/news => ../../news
)
