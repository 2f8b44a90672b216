module todo-deploy/lab/own

go 1.26.0
